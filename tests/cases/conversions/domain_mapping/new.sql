CREATE TABLE t (id int PRIMARY KEY, e int, n text);
