CREATE TABLE staff (id int PRIMARY KEY, parent int REFERENCES staff, room int);
CREATE TABLE rooms (id int PRIMARY KEY);
CREATE TABLE owners (id int PRIMARY KEY);
CREATE TABLE badges (id int PRIMARY KEY, owner_id int REFERENCES owners);
