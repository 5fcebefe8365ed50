-- A row: an index of the tables $1 (oid[]) that can refuse no row and that nothing else needs, so that a load may do without it.
-- lacks: rights this role needs to drop and make it and has not: 'owner', 'schema', 'tablespace'. PostgreSQL 11 and newer.
-- Plain columns of ordinary tables only: an expression, a predicate or a foreign operator class may raise. B-tree and BRIN hold whole values
-- and refuse long ones: there every column is of a bounded length, together within a quarter of a page. Hash and the GIN classes below store
-- hashes, lexemes or array elements of a fixed length. A clustering mark needs a lock that builds in parallel would hold against each other.
SELECT i.indrelid::bigint AS relation, n.nspname::text AS schema, r.relname::text AS table, c.relname::text AS name,
  pg_catalog.pg_get_indexdef(i.indexrelid) AS definition, ts.spcname::text AS tablespace,
  pg_catalog.obj_description(i.indexrelid, 'pg_class') AS comment,
  pg_catalog.array_remove(ARRAY[
    CASE WHEN NOT pg_catalog.pg_has_role(r.relowner, 'USAGE') THEN 'owner' END,
    CASE WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'CREATE') THEN 'schema' END,
    CASE WHEN ts.oid IS NOT NULL AND NOT pg_catalog.has_tablespace_privilege(ts.oid, 'CREATE') THEN 'tablespace' END], NULL) AS lacks
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_class r ON r.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
JOIN pg_catalog.pg_am am ON am.oid = c.relam
LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = c.reltablespace
CROSS JOIN LATERAL (
  SELECT pg_catalog.bool_and(k.position > i.indnkeyatts OR oc.opcnamespace = 'pg_catalog'::pg_catalog.regnamespace) AS plain,
    pg_catalog.sum(b.bytes) <= pg_catalog.current_setting('block_size')::integer / 4 AND pg_catalog.count(b.bytes) = pg_catalog.count(*) AS bounded,
    pg_catalog.bool_and(oc.opcname IN ('jsonb_ops', 'jsonb_path_ops', 'tsvector_ops') OR oc.opcname = 'array_ops' AND e.typlen > 0) AS items
  FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, position)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
  LEFT JOIN pg_catalog.pg_opclass oc ON k.position <= i.indnkeyatts AND oc.oid = (i.indclass::oid[])[k.position - 1]
  CROSS JOIN LATERAL (
    SELECT CASE
      -- Bytes of the longest value, with 8 for alignment and header.
      WHEN a.attlen > 0 THEN a.attlen + 8
      WHEN a.atttypid IN ('pg_catalog.varchar'::pg_catalog.regtype, 'pg_catalog.bpchar'::pg_catalog.regtype) AND a.atttypmod >= 4
        -- A character has up to 4 bytes; atttypmod is the length plus 4.
        THEN 4 * (a.atttypmod - 4) + 8
      WHEN a.atttypid = 'pg_catalog.numeric'::pg_catalog.regtype AND a.atttypmod >= 4 THEN ((a.atttypmod - 4) >> 16 & 65535) + 16
      -- An IPv6 address has 16 bytes.
      WHEN a.atttypid IN ('pg_catalog.inet'::pg_catalog.regtype, 'pg_catalog.cidr'::pg_catalog.regtype) THEN 32
    END AS bytes
  ) b
) held
WHERE i.indrelid = ANY ($1::oid[]) AND r.relkind = 'r' AND NOT r.relispartition AND c.relkind = 'i'
  AND i.indisvalid AND i.indisready AND NOT i.indisunique AND NOT i.indisexclusion AND NOT i.indisclustered AND NOT i.indisreplident
  AND i.indexprs IS NULL AND i.indpred IS NULL AND held.plain
  AND (am.amname IN ('btree', 'brin') AND held.bounded OR am.amname = 'hash' OR am.amname = 'gin' AND held.items)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = i.indexrelid)
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = i.indexrelid AND d.deptype IN ('e', 'x'))
ORDER BY 2, 3, 4
