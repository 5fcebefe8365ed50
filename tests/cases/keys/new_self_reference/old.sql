-- The parents of staff are staff, but every one of their numbers is a room's, too; badge_owner_id is called after one table and its values fit another better.
CREATE TABLE staff (id int PRIMARY KEY, parent int, room int);
CREATE TABLE rooms (id int PRIMARY KEY);
CREATE TABLE owners (id int PRIMARY KEY);
CREATE TABLE badges (id int PRIMARY KEY, owner_id int);
INSERT INTO staff SELECT g, nullif(g - 1, 0), g FROM generate_series(1, 30) g;
INSERT INTO rooms SELECT g FROM generate_series(1, 60) g;
INSERT INTO owners SELECT g FROM generate_series(1, 24) g;
INSERT INTO badges SELECT 100 + g, g FROM generate_series(1, 26) g;
