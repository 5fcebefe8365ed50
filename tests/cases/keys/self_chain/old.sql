-- A tree in one table, leaves first: a rejected root takes its whole branch along, a ring stays.
CREATE TABLE node (id int PRIMARY KEY, up int, label text);
INSERT INTO node VALUES (9, 8, 'leaf'), (8, 7, 'twig'), (7, 6, 'branch'), (6, 5, 'trunk'), (5, 404, 'rootless'), (1, 2, 'ring'), (2, 3, 'ring'), (3, 1, 'ring'), (4, 4, 'itself'), (10, NULL, 'root'), (11, 10, 'too long a label');
