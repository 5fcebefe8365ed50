CREATE TABLE country (code text PRIMARY KEY, title text NOT NULL);
CREATE TABLE member (id int PRIMARY KEY, country text, sponsor int, mail text, age int, status text);
CREATE TABLE visit (at timestamp, page text);
CREATE TABLE left_a (id int PRIMARY KEY, b int NOT NULL);
CREATE TABLE left_b (id int PRIMARY KEY, a int NOT NULL);
CREATE TABLE scratch (note text);
CREATE SEQUENCE ticket; SELECT setval('ticket', 815);
INSERT INTO country SELECT 'c' || n, 'country ' || n FROM generate_series(1, 12) n;
INSERT INTO member
  SELECT n, 'c' || n % 13, CASE WHEN n % 3 > 0 AND n < 150 THEN n + 5 END, 'm' || n % 148 || '@example.org', n % 120,
    CASE n % 3 WHEN 0 THEN 'on' WHEN 1 THEN 'off' END
  FROM generate_series(1, 150) n;
INSERT INTO member VALUES (151, NULL, NULL, 'Grüße "und" ''x''', 7, 'on'), (152, 'c1', 152, NULL, NULL, NULL);
INSERT INTO visit SELECT timestamp '2020-01-01' + (n % 30) * interval '1 hour', CASE WHEN n % 40 > 0 THEN 'page ' || n % 40 END FROM generate_series(1, 120) n;
INSERT INTO left_a SELECT n, n FROM generate_series(1, 20) n;
INSERT INTO left_b SELECT n, 21 - n FROM generate_series(1, 20) n;
INSERT INTO scratch VALUES ('left behind');
