-- A row of 1,500 columns is rejected and told whole.
DO $$ BEGIN EXECUTE (SELECT format('CREATE TABLE w (id int PRIMARY KEY, %s)', string_agg(format('c%s text', n), ', ')) FROM generate_series(1, 1499) AS n); END $$;
INSERT INTO w (id, c1, c1499) VALUES (1, 'a', 'z'), (2, NULL, 'y'), (3, 'c', NULL);
