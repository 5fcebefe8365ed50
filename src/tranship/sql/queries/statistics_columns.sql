-- One row per analyzed column that the role may SELECT, by table and column; of a partitioned table the statistics of the whole tree.
-- Values are cut off after $2; a type whose arrays are not written with commas has none.
-- Every server since 11. $1 OIDs of relations.
select
  n.nspname::text as schema, c.relname::text as name, s.attname::text as column,
  s.null_frac::float8 as null_fraction, s.n_distinct::float8 as distinct, s.avg_width as width,
  -- The columns are of type anyarray, which has no cast to text[]; its text can be read as one.
  case when t.plain then (s.most_common_vals::text::text[])[:$2] end as common_values,
  case when t.plain then (s.most_common_freqs::float8[])[:$2] end as common_frequencies,
  case when t.plain then (s.histogram_bounds::text::text[])[1] end as minimum,
  case when t.plain then (s.histogram_bounds::text::text[])[pg_catalog.array_length(s.histogram_bounds::text::text[], 1)] end as maximum,
  s.correlation::float8 as correlation
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_stats s on s.schemaname = n.nspname and s.tablename = c.relname and s.inherited = (c.relkind = 'p')
cross join lateral (
  select y.typdelim = ',' and (y.typelem = 0::oid or e.typdelim = ',') as plain
  from pg_catalog.pg_attribute a
  join pg_catalog.pg_type y on y.oid = a.atttypid
  left join pg_catalog.pg_type e on e.oid = y.typelem
  where a.attrelid = c.oid and a.attname = s.attname
) t
where c.oid = any ($1::oid[])
order by n.nspname::text collate "C", c.relname::text collate "C", s.attname::text collate "C"
