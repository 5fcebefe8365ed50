-- A person's own SQL, one old column that feeds two new ones, a constant, NEW's own default, and a value for NULL.
CREATE TABLE p (id int PRIMARY KEY, full_name text NOT NULL, grade text, born text);
INSERT INTO p VALUES (1, 'Ada Lovelace', 'A', '10.12.1815'), (2, 'Cher', NULL, NULL), (3, 'Jan van Eyck', 'B', '1.1.1390');
