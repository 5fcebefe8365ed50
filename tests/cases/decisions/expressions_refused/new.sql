CREATE TABLE t (id int PRIMARY KEY, a1 int, b1 int, c1 int, d1 int, e1 int, f1 int);
