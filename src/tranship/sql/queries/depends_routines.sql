-- Functions and views that are neither built in nor of an extension, with a hash of their definitions; and, to resolve the calls of a plan, for each
-- function outside of pg_catalog its schema and bare name and whether a plan shows all that it reads (an immutable one of an extension). The version of
-- its row is part of the facts of a function whose bare name is in $1 (text[]): it tells that it was replaced even where it is again what it was.
-- PostgreSQL 11 and newer.
SELECT CASE WHEN extension THEN NULL ELSE pg_catalog.format('function %s', f.oid::pg_catalog.regprocedure) END AS name,
  CASE WHEN extension OR f.kind NOT IN ('f', 'p') THEN NULL
    ELSE pg_catalog.concat_ws(' ', pg_catalog.md5(pg_catalog.pg_get_functiondef(f.oid)), CASE WHEN f.bare = ANY ($1::text[]) THEN f.version END) END AS facts,
  f.schema, f.bare, f.extension AND f.volatility = 'i' AS plain
FROM (
  SELECT p.oid, n.nspname::text AS schema, p.proname::text AS bare, p.prokind AS kind, p.provolatile AS volatility, p.xmin AS version,
    EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e') AS extension
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
) AS f
UNION ALL
SELECT pg_catalog.format('view %I.%I', n.nspname, c.relname), pg_catalog.md5(pg_catalog.pg_get_viewdef(c.oid)), NULL, NULL, NULL
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
