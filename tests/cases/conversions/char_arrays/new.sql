CREATE TABLE t (id int PRIMARY KEY, c varchar(4)[], b varchar(5)[]);
