-- Windows per key would reject rows that only collide with rejected ones: (1 a x), (2 a y), (3 b y): 2 falls to 1, and 3 stays.
CREATE TABLE t (id int PRIMARY KEY, a text, b text);
INSERT INTO t VALUES (3, 'b', 'y'), (2, 'a', 'y'), (1, 'a', 'x'), (4, NULL, 'z'), (5, NULL, 'w'), (6, 'c', 'x');
