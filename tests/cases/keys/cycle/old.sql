-- Two tables that refer to each other, without keys in OLD: NEW demands both. A row whose partner is missing takes its dependants along.
CREATE TABLE team (id int PRIMARY KEY, lead_id int);
CREATE TABLE member (id int PRIMARY KEY, team_id int NOT NULL);
INSERT INTO team VALUES (1, 10), (2, 20), (3, NULL), (4, 99), (5, 51);
INSERT INTO member VALUES (10, 1), (11, 1), (20, 2), (30, 3), (40, 4), (51, 4), (60, 6);
