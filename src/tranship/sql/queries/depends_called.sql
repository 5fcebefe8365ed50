-- The bare names of the functions outside of pg_catalog that the catalog knows to be called for rows of NEW's relations: by the CHECKs of $1 schema, $2 name
-- (text arrays side by side, with $3), of their partitions and of the domains of their columns, by their index expressions, and by the defaults and generated
-- columns named $3 (NULL: the relation itself); through operators and functions with a body in standard SQL, too. PostgreSQL 11 and newer.
WITH RECURSIVE wanted (relation, attribute) AS (
  SELECT c.oid, named.attribute
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[])) AS named (schema, relation, attribute)
  JOIN pg_catalog.pg_namespace n ON n.nspname = named.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = named.relation
  UNION
  SELECT i.inhrelid, w.attribute FROM wanted w JOIN pg_catalog.pg_inherits i ON i.inhparent = w.relation
),
object (class, id) AS (
  SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, w.relation FROM wanted w WHERE w.attribute IS NULL
  UNION ALL
  SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, i.indexrelid
  FROM wanted w JOIN pg_catalog.pg_index i ON i.indrelid = w.relation WHERE w.attribute IS NULL
  UNION ALL
  SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid
  FROM wanted w JOIN pg_catalog.pg_constraint k ON k.conrelid = w.relation AND k.contype = 'c' WHERE w.attribute IS NULL
  UNION ALL
  SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass, d.oid
  FROM wanted w JOIN pg_catalog.pg_attribute a ON a.attrelid = w.relation AND a.attname = w.attribute
  JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  UNION
  SELECT needed.class, needed.id FROM object o CROSS JOIN LATERAL (
    -- What a base type needs is its own input and output; what a default or a body reads in tables is another matter.
    SELECT d.refclassid AS class, d.refobjid AS id FROM pg_catalog.pg_depend d
    LEFT JOIN pg_catalog.pg_class c ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = d.refobjid
    WHERE d.classid = o.class AND d.objid = o.id AND (
      d.refclassid IN ('pg_catalog.pg_operator'::pg_catalog.regclass, 'pg_catalog.pg_type'::pg_catalog.regclass) OR c.relkind = 'c'
      OR d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.classid <> 'pg_catalog.pg_type'::pg_catalog.regclass)
    UNION ALL
    SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid FROM pg_catalog.pg_constraint k
    WHERE o.class = 'pg_catalog.pg_type'::pg_catalog.regclass AND k.contypid = o.id
  ) AS needed
)
SELECT DISTINCT p.proname::text AS name
FROM object o JOIN pg_catalog.pg_proc p ON o.class = 'pg_catalog.pg_proc'::pg_catalog.regclass AND p.oid = o.id
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY 1
