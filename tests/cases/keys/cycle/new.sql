CREATE TABLE team (id int PRIMARY KEY, lead_id int);
CREATE TABLE member (id int PRIMARY KEY, team_id int NOT NULL CONSTRAINT member_team REFERENCES team);
ALTER TABLE team ADD CONSTRAINT team_lead FOREIGN KEY (lead_id) REFERENCES member;
