CREATE TABLE z_cat (id int PRIMARY KEY CONSTRAINT positive CHECK (id > 0), name text);
CREATE TABLE a_item (id int PRIMARY KEY, cat_id int NOT NULL REFERENCES z_cat);
