CREATE TABLE log (id int, v text);
