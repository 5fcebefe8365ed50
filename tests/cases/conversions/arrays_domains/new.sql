CREATE DOMAIN short AS varchar(9);
CREATE TYPE mood AS ENUM ('ok', 'happy');
CREATE TABLE t (id bigint PRIMARY KEY, a bigint[], b text[], c short, d numeric(8,3), e mood, f double precision, g timestamp, h text);
