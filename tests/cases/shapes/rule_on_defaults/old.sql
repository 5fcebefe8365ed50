-- COPY fires no rule, INSERT does: rows that NEW fills alone would be lost.
CREATE TABLE bare ();
INSERT INTO bare DEFAULT VALUES;
