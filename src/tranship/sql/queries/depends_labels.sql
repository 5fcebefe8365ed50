-- The labels of enums that the columns of the relations of schemas $1 and names $2 hold, also within arrays, domains, ranges and composites; all enums
-- where $3 (boolean): an expression may name any. The output of an enum looks its label up as it is now, whatever the snapshot. The version of a label's
-- row tells that it was renamed even where it has its name again. PostgreSQL 11 and newer.
WITH RECURSIVE used (type) AS (
  SELECT a.atttypid
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS wanted (schema, relation)
  JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.relation
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION
  SELECT part.type FROM used JOIN pg_catalog.pg_type t ON t.oid = used.type CROSS JOIN LATERAL (
    SELECT t.typelem AS type UNION ALL SELECT t.typbasetype
    UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid
  ) AS part WHERE part.type <> 0
)
SELECT pg_catalog.format('label %s of enum %s.%s', pg_catalog.quote_literal(e.enumlabel), n.nspname, t.typname) AS name, pg_catalog.concat_ws(' ', e.oid, e.xmin) AS facts
FROM pg_catalog.pg_enum e JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE $3 OR e.enumtypid IN (SELECT used.type FROM used)
