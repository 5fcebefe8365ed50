-- A lookup over two columns of which one is numeric; a NULL part is a NULL input; a found NULL is NULL.
CREATE TABLE sale (id int PRIMARY KEY, land text, zone int);
INSERT INTO sale VALUES (1, 'de', 1), (2, 'de', 2), (3, 'fr', 1), (4, NULL, 1), (5, 'fr', 2), (6, 'xx', 1);
