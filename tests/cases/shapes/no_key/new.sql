CREATE TABLE log (line text, at timestamp);
CREATE TABLE mark (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state text NOT NULL DEFAULT 'fresh');
