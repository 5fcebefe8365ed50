CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE words (word text COLLATE any_case PRIMARY KEY, n int);
CREATE TABLE names (name text PRIMARY KEY);
CREATE TABLE uses (id int PRIMARY KEY, name text REFERENCES names);
