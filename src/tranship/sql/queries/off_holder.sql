-- What has the name $2 in schema $1, in words; no row: nothing has. PostgreSQL 11 and newer.
SELECT CASE c.relkind WHEN 'r' THEN 'a table' WHEN 'p' THEN 'a table' WHEN 'S' THEN 'a sequence' WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view'
  WHEN 'i' THEN 'an index of another table' WHEN 'I' THEN 'an index of another table' ELSE 'another object' END AS holder
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2
