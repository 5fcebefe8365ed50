-- A mapping to a word that OLD cannot hold: it would have to pass through OLD.
CREATE TABLE t (id int PRIMARY KEY, b text);
INSERT INTO t VALUES (1, 'café'), (2, NULL);
