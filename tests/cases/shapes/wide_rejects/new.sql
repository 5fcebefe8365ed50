DO $$ BEGIN EXECUTE (SELECT format('CREATE TABLE w (id int PRIMARY KEY, %s)', string_agg(format('c%s text', n), ', ')) FROM generate_series(1, 1499) AS n); END $$;
ALTER TABLE w ALTER c1 SET NOT NULL, ADD CHECK (c1 <> 'c');
