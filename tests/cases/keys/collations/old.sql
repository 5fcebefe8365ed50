-- Words that OLD tells apart are one word to NEW's collation, and the other way round.
CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE words (word text PRIMARY KEY, n int);
INSERT INTO words VALUES ('a', 1), ('B', 2), ('A', 3), ('b', 4), ('c', 5);
CREATE TABLE names (name text COLLATE any_case PRIMARY KEY);
CREATE TABLE uses (id int PRIMARY KEY, name text COLLATE any_case REFERENCES names);
INSERT INTO names VALUES ('Ann'), ('bob');
INSERT INTO uses VALUES (1, 'Ann'), (2, 'ann'), (3, 'Bob'), (4, NULL);
