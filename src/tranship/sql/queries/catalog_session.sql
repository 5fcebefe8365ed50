-- One row: the database, the server and the connected role; zone, date style and path as a fresh session of this role has them.
-- loose_collations: those under which different texts may be equal.
-- Every server since 11.
select
  current_setting('server_version_num')::int as version,
  d.datname::text as database,
  pg_encoding_to_char(d.encoding)::text as encoding,
  {{collation}} as collation,
  current_user::text as role,
  coalesce((select r.rolsuper from pg_catalog.pg_roles r where r.rolname = current_user), false) as superuser,
  -- reset_val is what RESET would set: the role's or database's default, whatever this session has set meanwhile.
  (select s.reset_val from pg_catalog.pg_settings s where s.name = 'TimeZone') as timezone,
  (select s.reset_val from pg_catalog.pg_settings s where s.name = 'DateStyle') as datestyle,
  (select s.reset_val from pg_catalog.pg_settings s where s.name = 'search_path') as search_path,
  cast(cast(-1234567.89 as numeric) as money)::text as money,
  array(
    select quote_ident(n.nspname) || '.' || quote_ident(co.collname)
    from pg_catalog.pg_collation co join pg_catalog.pg_namespace n on n.oid = co.collnamespace
    where {{nondeterministic}} order by 1
  ) as loose_collations,
  (select count(*) from pg_catalog.pg_largeobject_metadata) as large_objects
from pg_catalog.pg_database d
where d.datname = current_database()
