-- One row per range type with its subtype and its multirange (0 before 14).
-- Every server since 11.
select r.rngtypid as type, r.rngsubtype as subtype, {{multirange}} as multirange, r.rngcollation as collation_oid,
  quote_ident(n.nspname) || '.' || quote_ident(co.collname) as collation
from pg_catalog.pg_range r
left join pg_catalog.pg_collation co on co.oid = r.rngcollation
left join pg_catalog.pg_namespace n on n.oid = co.collnamespace
