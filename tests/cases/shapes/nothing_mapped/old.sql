-- Rows without a column that arrives: NEW fills them, and a constant default meets its own key.
CREATE TABLE bare ();
CREATE TABLE same ();
CREATE TABLE emptied (a int);
INSERT INTO bare DEFAULT VALUES; INSERT INTO bare DEFAULT VALUES; INSERT INTO bare DEFAULT VALUES;
INSERT INTO same DEFAULT VALUES; INSERT INTO same DEFAULT VALUES;
INSERT INTO emptied VALUES (1), (2);
