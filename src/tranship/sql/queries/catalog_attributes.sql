-- One row per attribute of the given composite types, by type and position.
-- Every server since 11. $1 OIDs of the relations behind the types.
select a.attrelid as relation, a.attname::text as name, a.atttypid as type, a.atttypmod as modifier
from pg_catalog.pg_attribute a
where a.attrelid = any ($1::oid[]) and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum
