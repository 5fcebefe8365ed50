-- Two keys of a mapping that are one value of the old type, with different results, contradict each other: refused.
CREATE TABLE t (id int PRIMARY KEY, n numeric(5,2), d date, i interval, s text);
INSERT INTO t VALUES (1, 1, '2024-02-03', '1 day', 'a');
