-- The padding of char(n) is dropped inside arrays, too, and what is still too long rejects its row.
CREATE TABLE t (id int PRIMARY KEY, c char(8)[], b boolean[]);
INSERT INTO t VALUES (1, '{a,NULL,"b c"}', '{t,f,NULL}'), (2, '{abcdefgh}', '{}'), (3, NULL, '{f}');
