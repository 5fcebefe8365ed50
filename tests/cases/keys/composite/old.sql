-- A key over two columns, MATCH SIMPLE: a NULL part asks for nothing.
CREATE TABLE shelf (room int, no int, PRIMARY KEY (room, no));
CREATE TABLE box (id int PRIMARY KEY, room int, no int);
INSERT INTO shelf VALUES (1, 1), (1, 2), (2, 1);
INSERT INTO box VALUES (1, 1, 1), (2, 1, NULL), (3, NULL, 9), (4, 2, 2), (5, NULL, NULL);
