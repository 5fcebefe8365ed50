-- A row: one rewrite rule of the table $1 (oid) and its state (pg_rewrite.ev_enabled). PostgreSQL 11 and newer.
SELECT r.rulename::text AS name, r.oid::bigint AS oid, r.ev_enabled::text AS state
FROM pg_catalog.pg_rewrite r WHERE r.ev_class = $1::bigint::oid ORDER BY r.rulename
