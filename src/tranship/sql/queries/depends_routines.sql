-- Functions and views that are neither built in nor of an extension, with a hash of their definitions; and, to resolve the calls of a plan, for each
-- function outside of pg_catalog its schema and bare name and whether a plan shows all that it reads (an immutable one of an extension).
-- PostgreSQL 11 and newer.
SELECT CASE WHEN extension THEN NULL ELSE pg_catalog.format('function %s', f.oid::pg_catalog.regprocedure) END AS name,
  CASE WHEN extension OR f.kind NOT IN ('f', 'p') THEN NULL ELSE pg_catalog.md5(pg_catalog.pg_get_functiondef(f.oid)) END AS facts,
  f.schema, f.bare, f.extension AND f.volatility = 'i' AS plain
FROM (
  SELECT p.oid, n.nspname::text AS schema, p.proname::text AS bare, p.prokind AS kind, p.provolatile AS volatility,
    EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e') AS extension
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
) AS f
UNION ALL
SELECT pg_catalog.format('view %I.%I', n.nspname, c.relname), pg_catalog.md5(pg_catalog.pg_get_viewdef(c.oid)), NULL, NULL, NULL
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
