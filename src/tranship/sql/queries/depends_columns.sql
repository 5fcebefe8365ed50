-- The columns of the relations of schemas $1 and names $2 (text arrays side by side): name, and the facts that decide what stored rows show: the place in
-- the row, the type, and the value of rows that are older than the column. A column that is dropped and made again, or two that exchange their names, have
-- others, although no row is written. PostgreSQL 11 and newer.
SELECT pg_catalog.format('column %s.%s.%s', n.nspname, c.relname, a.attname) AS name,
  pg_catalog.concat_ws(' ', a.attnum, a.atttypid, a.atttypmod, a.attcollation, a.attmissingval::text) AS facts
FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS wanted (schema, relation)
JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.relation
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
