CREATE TABLE region (id int PRIMARY KEY, land text, zone int, code text);
INSERT INTO region VALUES (1, 'de', 1, 'DE-N'), (2, 'de', 2, 'DE-S'), (3, 'fr', 1, NULL), (4, 'fr', 2, 'FR-S');
CREATE TABLE sale (id int PRIMARY KEY, code text);
