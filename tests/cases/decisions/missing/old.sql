-- Everything that needs a word, and no word was given: nothing may be written.
CREATE TABLE a (id int PRIMARY KEY, gone text, narrow text, kind text);
INSERT INTO a VALUES (1, 'g', 'n', 'k');
CREATE TABLE b (id int PRIMARY KEY);
