CREATE TABLE t (id int PRIMARY KEY, code text UNIQUE, at int4range, CONSTRAINT t_at EXCLUDE USING gist (at WITH &&));
INSERT INTO t VALUES (1, 'z', NULL), (100, 'b', NULL), (101, 'y', '[25,26)');
