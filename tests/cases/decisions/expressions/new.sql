CREATE TABLE p (id int PRIMARY KEY, first_name text NOT NULL, last_name text, grade int NOT NULL, born date, origin text NOT NULL, seen int NOT NULL DEFAULT 7);
