-- A mapping over a domain compares values of the type below it, by that type's =.
CREATE TYPE en AS ENUM ('new', 'old', 'odd one');
CREATE DOMAIN den AS en;
CREATE DOMAIN num AS numeric(6,2);
CREATE TABLE t (id int PRIMARY KEY, e den, n num);
INSERT INTO t VALUES (1, 'new', 1), (2, 'odd one', 2.50), (3, NULL, NULL);
