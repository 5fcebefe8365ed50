-- One row per column that the connected role may not SELECT, by relation and position.
-- Every server since 11. $1 OIDs of the relations on which the role lacks SELECT as a whole.
select a.attrelid as relation, a.attname::text as name
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
where a.attrelid = any ($1::oid[]) and a.attnum > 0 and not a.attisdropped
  and not (has_schema_privilege(c.relnamespace, 'USAGE') and has_column_privilege(a.attrelid, a.attnum, 'SELECT'))
order by a.attrelid, a.attnum
