-- A row: one user trigger of the table $1 (oid) and its state (pg_trigger.tgenabled). PostgreSQL 11 and newer.
SELECT t.tgname::text AS name, t.oid::bigint AS oid, t.tgenabled::text AS state
FROM pg_catalog.pg_trigger t WHERE t.tgrelid = $1::bigint::oid AND NOT t.tgisinternal ORDER BY t.tgname
