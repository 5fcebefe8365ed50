-- NEW holds names where OLD held ids; the table of names exists in OLD alone.
CREATE TABLE colour (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO colour VALUES (1, 'red'), (2, 'gré''en'), (3, '');
CREATE TABLE car (id int PRIMARY KEY, colour_id int REFERENCES colour);
INSERT INTO car VALUES (1, 1), (2, 2), (3, NULL), (4, 3);
