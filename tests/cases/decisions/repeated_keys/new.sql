CREATE TABLE t (id int PRIMARY KEY, n text, d text, i text, s int);
