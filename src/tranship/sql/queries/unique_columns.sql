-- The columns of the unique indexes that tell each row of a table apart: none of them may be NULL.
-- $1, $2: the schemas and the names of the tables.
SELECT n.nspname AS schema, c.relname AS name, pg_catalog.array_agg(a.attname::pg_catalog.text) AS columns
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a
  ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1]::pg_catalog.int2[])
WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
  AND EXISTS (
    SELECT 1 FROM ROWS FROM (
      pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])
    ) AS w (schema, name) WHERE w.schema = n.nspname AND w.name = c.relname
  )
GROUP BY i.indexrelid, n.nspname, c.relname
HAVING pg_catalog.bool_and(a.attnotnull)
