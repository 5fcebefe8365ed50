-- Expressions that are no single, repeatable value of one row are refused before anything moves, each by its name.
CREATE TABLE t (id int PRIMARY KEY, a int, b int, c int, d int, e int, f int);
INSERT INTO t VALUES (1, 1, 1, 1, 1, 1, 1);
