-- $1: a table's OID. What decides how much room its columns take in a row, dropped ones included; in their order.
select a.attname::text as name, a.attlen < 0 as varies, a.attstorage = 'p' as stays,
  a.attstorage in ('x', 'm') as compresses, a.attisdropped or {{generated}} = 'v' as empty
from pg_catalog.pg_attribute a
where a.attrelid = $1::oid and a.attnum > 0
order by a.attnum
