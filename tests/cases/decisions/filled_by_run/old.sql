-- The lookup's table is filled by the same run, later in the alphabet, and one of its rows is rejected: what it would have named is then missing.
CREATE TABLE a_item (id int PRIMARY KEY, cat text NOT NULL);
INSERT INTO a_item VALUES (1, 'one'), (2, 'two'), (3, 'three');
CREATE TABLE z_cat (id int PRIMARY KEY, name text);
INSERT INTO z_cat VALUES (10, 'one'), (20, 'two'), (-30, 'three');
