-- Half of the table lives on another server: no snapshot of OLD holds it.
CREATE EXTENSION postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname 'nowhere');
CREATE TABLE log (id int, v text) PARTITION BY RANGE (id);
CREATE TABLE log_here PARTITION OF log FOR VALUES FROM (0) TO (10);
CREATE FOREIGN TABLE log_there PARTITION OF log FOR VALUES FROM (10) TO (20) SERVER elsewhere;
INSERT INTO log_here VALUES (1, 'a');
