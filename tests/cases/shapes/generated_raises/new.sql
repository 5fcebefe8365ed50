CREATE TABLE t (id int PRIMARY KEY, s text, n int, si int GENERATED ALWAYS AS (s::int) STORED, inv int GENERATED ALWAYS AS (10 / n) STORED);
CREATE TABLE g (id int PRIMARY KEY, q int, total int GENERATED ALWAYS AS (q * 4) STORED);
CREATE TABLE c (id int PRIMARY KEY, s text, short varchar(4) GENERATED ALWAYS AS (s) STORED);
