CREATE TABLE car (id int PRIMARY KEY, colour text);
