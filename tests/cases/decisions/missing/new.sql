CREATE TYPE kind AS ENUM ('k');
CREATE TABLE a (id int PRIMARY KEY, narrow varchar(3), kind kind, must int NOT NULL);
CREATE TABLE kept (id int PRIMARY KEY);
INSERT INTO kept VALUES (1);
