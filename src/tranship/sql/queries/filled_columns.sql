-- A row per column of the table $1 (schema), $2 (name). builtin: its default or generation expression calls functions of PostgreSQL alone, so that
-- whatever is declared of them is true (FirstNormalObjectId is 16384). fixed: it is builtin and gives the same value in every row and every session,
-- or there is none.
-- A stored expression tree names its functions by OID. CURRENT_DATE and the like, nextval of an identity and conversions through
-- text, which may read settings, are nodes of their own. PostgreSQL 11 and newer.
SELECT a.attname::text AS name, called.builtin,
  called.builtin AND called.immutable AND a.attidentity = ''
    AND COALESCE(e.tree !~ '\{(SQLVALUEFUNCTION|NEXTVALUEEXPR|COERCEVIAIO|SUBLINK|CURRENTOFEXPR)\y', true) AS fixed
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
CROSS JOIN LATERAL (SELECT COALESCE(d.adbin, t.typdefaultbin)::text AS tree) AS e
CROSS JOIN LATERAL (
  SELECT COALESCE(pg_catalog.bool_and(p.provolatile = 'i'), true) AS immutable,
    COALESCE(pg_catalog.bool_and(p.oid::pg_catalog.int8 < 16384), true) AS builtin
  FROM pg_catalog.regexp_matches(e.tree, ':(?:funcid|opfuncid) (\d+)', 'g') AS called(ids)
  JOIN pg_catalog.pg_proc p ON p.oid = called.ids[1]::pg_catalog.oid
) AS called
WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped
