-- Those of the relations $1 (oids) that this role may ANALYZE: as owner, or from PostgreSQL 17 with MAINTAIN (PostgreSQL documentation, "ANALYZE").
-- PostgreSQL 11 and newer; CASE keeps older ones from a privilege that they do not know.
SELECT c.oid::bigint AS oid
FROM pg_catalog.pg_class c JOIN pg_catalog.unnest($1::oid[]) AS r(id) ON c.oid = r.id
WHERE pg_catalog.pg_has_role(c.relowner, 'USAGE')
  OR CASE WHEN pg_catalog.current_setting('server_version_num')::integer >= 170000 THEN pg_catalog.has_table_privilege(c.oid, 'MAINTAIN') END
