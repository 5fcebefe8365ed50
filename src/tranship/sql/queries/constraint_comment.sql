-- The comment of constraint $2 of the relation $1 (oid); NULL: it has none. PostgreSQL 11 and newer.
SELECT pg_catalog.obj_description(c.oid, 'pg_constraint') FROM pg_catalog.pg_constraint c WHERE c.conrelid = $1::oid AND c.conname = $2
