-- A NEW without an encoding takes every character as it comes; only an escape inside JSON cannot be read there.
CREATE TABLE t (id int PRIMARY KEY, b text, j json, ar text[]);
INSERT INTO t VALUES (1, 'café', '{"k": "é"}', '{é,ß}'), (2, '€', '[]', NULL), (3, 'c', '"\u20ac"', NULL);
