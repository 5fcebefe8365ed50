-- Rows for which NEW's generated columns cannot be computed are rejects of the dry run, too.
CREATE TABLE t (id int PRIMARY KEY, s text, n int);
INSERT INTO t VALUES (1, '5', 1), (2, 'x', NULL), (3, '0', 0), (4, NULL, 2);
CREATE TABLE g (id int PRIMARY KEY, q int, total int GENERATED ALWAYS AS (q * 2) STORED);
INSERT INTO g (id, q) VALUES (1, 2), (2, 1073741823);
CREATE TABLE c (id int PRIMARY KEY, s text);
INSERT INTO c VALUES (1, 'abc   '), (2, 'abcdef');
