CREATE TABLE t (id int PRIMARY KEY, b varchar(12), j jsonb, ar text[]);
