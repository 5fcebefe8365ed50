-- Text that only looks like something else: COPY's own signs, blanks, NULL spelt out, control characters.
CREATE TABLE t (id int PRIMARY KEY, v text, j json, b bytea, n numeric);
INSERT INTO t VALUES (1, '\N', '{"a": 1,  "a": 2}', '\x00ff', 'NaN'), (2, '', '[]', '', 'Infinity'), (3, 'NULL', 'null', NULL, 1.10), (4, E'a\tb\nc\\d\re\b', '"\u00e9"', '\x5c4e', -0.0),
    (5, '  ', NULL, '\x0a', 12345678901234567890.123456789), (6, E'\\.', '1e2', '\x2e', 1e-20);
