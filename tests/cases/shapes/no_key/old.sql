-- Rows without any key, equal ones included; and a table of which NEW keeps no column.
CREATE TABLE log (at timestamp, line text);
INSERT INTO log SELECT '2024-01-01', 'same' FROM generate_series(1, 3);
INSERT INTO log VALUES (NULL, NULL), ('infinity', '');
CREATE TABLE mark (old_note text);
INSERT INTO mark VALUES ('a'), ('b');
