CREATE TABLE shelf (room int, no int, PRIMARY KEY (room, no));
CREATE TABLE box (id int PRIMARY KEY, room int, no int, CONSTRAINT box_shelf FOREIGN KEY (room, no) REFERENCES shelf);
