-- One row per function whose bare name is in $1 (name[]): OID, whether it is volatile and built in, its source, and the definition of one in SQL or PL/pgSQL
-- that is not built in. PostgreSQL 11 and newer.
SELECT p.oid::pg_catalog.int8 AS oid, p.proname::pg_catalog.text AS name, p.provolatile = 'v' AS volatile,
  n.nspname IN ('pg_catalog', 'information_schema') AS built_in, p.prosrc AS source,
  CASE WHEN n.nspname NOT IN ('pg_catalog', 'information_schema') AND l.lanname IN ('sql', 'plpgsql')
    THEN pg_catalog.pg_get_functiondef(p.oid) END AS definition
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
WHERE p.proname = ANY ($1::pg_catalog.name[])
ORDER BY 2, 1
