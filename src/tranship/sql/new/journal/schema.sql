-- What is asked of and done to the journal as a whole.

-- name: state_of_schema
-- $1 schema, $2 tables and $3 columns by which they are known (arrays side by side).
-- One row where the schema exists: owner; may_use, may_create: this role's rights; may_read, may_write: those on the tables; tables: those of $2 that are there; strangers: other relations;
-- owners: who owns the schema or one of the tables and is neither this role nor a superuser; writers: who else may write into them.
WITH known AS (
  SELECT k.name, k.mark FROM ROWS FROM (pg_catalog.unnest($2::pg_catalog.text[]), pg_catalog.unnest($3::pg_catalog.text[])) AS k (name, mark)
), trusted AS (
  SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolsuper OR r.rolname IN (CURRENT_USER, SESSION_USER)
), relations AS (
  SELECT c.oid, c.relname::text AS name, c.relowner, c.relacl, n.oid AS schema, EXISTS (
    SELECT FROM pg_catalog.pg_attribute a JOIN known k ON k.name = c.relname AND k.mark = a.attname WHERE a.attrelid = c.oid AND c.relkind = 'r'
  ) AS ours
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
), grants AS (
  SELECT a.grantee FROM pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) a
  WHERE n.nspname = $1 AND a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner
  UNION
  SELECT a.grantee FROM relations r, pg_catalog.aclexplode(r.relacl) a
  WHERE r.ours AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER') AND a.grantee <> r.relowner
  UNION
  SELECT a.grantee FROM relations r JOIN pg_catalog.pg_attribute c ON c.attrelid = r.oid, pg_catalog.aclexplode(c.attacl) a
  WHERE r.ours AND a.privilege_type IN ('INSERT', 'UPDATE') AND a.grantee <> r.relowner
)
SELECT pg_catalog.pg_get_userbyid(n.nspowner)::text AS owner,
  pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS may_use, pg_catalog.has_schema_privilege(n.oid, 'CREATE') AS may_create,
  NOT EXISTS (SELECT FROM relations r WHERE r.ours AND NOT pg_catalog.has_table_privilege(r.oid, 'SELECT')) AS may_read,
  NOT EXISTS (
    SELECT FROM relations r, pg_catalog.unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p (privilege)
    WHERE r.ours AND NOT pg_catalog.has_table_privilege(r.oid, p.privilege)
  ) AS may_write,
  ARRAY(SELECT r.name FROM relations r WHERE r.ours ORDER BY 1) AS tables,
  ARRAY(SELECT r.name FROM relations r WHERE NOT r.ours ORDER BY 1) AS strangers,
  ARRAY(
    SELECT DISTINCT pg_catalog.pg_get_userbyid(o.owner)::text
    FROM (SELECT n.nspowner AS owner UNION ALL SELECT r.relowner FROM relations r WHERE r.ours) o
    WHERE o.owner NOT IN (SELECT t.oid FROM trusted t) ORDER BY 1
  ) AS owners,
  ARRAY(
    SELECT DISTINCT CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(g.grantee)::text END
    FROM grants g WHERE g.grantee NOT IN (SELECT t.oid FROM trusted t) ORDER BY 1
  ) AS writers
FROM pg_catalog.pg_namespace n WHERE n.nspname = $1;

-- name: granted
-- $1 schema. Roles, quoted, that default privileges or a grant let into the schema or its tables. Not the owner of
-- the tables, who need not own the schema: revoking from him would lock the run itself out.
SELECT DISTINCT a.grantee::pg_catalog.regrole::text AS role
FROM pg_catalog.pg_namespace n LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid
CROSS JOIN LATERAL (SELECT * FROM pg_catalog.aclexplode(n.nspacl) UNION ALL SELECT * FROM pg_catalog.aclexplode(c.relacl)) a
WHERE n.nspname = $1 AND a.grantee NOT IN (0, n.nspowner) AND a.grantee IS DISTINCT FROM c.relowner;

-- name: format_number
-- The journal's format and the version of tranship that gave it.
SELECT number, tool_version FROM {journal}.format ORDER BY number DESC LIMIT 1;

-- name: lock_out
-- Until the transaction ends no run uses the journal.
LOCK TABLE {journal}.run IN ACCESS EXCLUSIVE MODE;

-- name: drop_tables
-- Removes the journal's tables and nothing else.
DROP TABLE {tables};

-- name: drop_schema
-- Removes the schema; fails where it holds anything.
DROP SCHEMA {journal};
