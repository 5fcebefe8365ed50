-- NEW is not empty: its rows stay, and old rows that collide with them on any unique key go.
CREATE TABLE t (id int PRIMARY KEY, code text, at int4range);
INSERT INTO t VALUES (1, 'a', '[1,5)'), (2, 'b', '[5,9)'), (3, 'c', '[20,30)'), (4, NULL, NULL);
