-- A row where the relation $1 (oid) has a constraint named $2. PostgreSQL 11 and newer.
SELECT 1 AS there FROM pg_catalog.pg_constraint c WHERE c.conrelid = $1::oid AND c.conname = $2
