CREATE TABLE t (id bigint PRIMARY KEY, v text, j jsonb, b bytea, n numeric);
