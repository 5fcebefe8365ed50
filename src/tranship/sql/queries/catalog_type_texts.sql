-- One row per pair of a type and a modifier, in the given order: how the type is written, with and without the modifier.
-- Every server since 11. $1 OIDs of types, $2 modifiers.
select format_type(t.oid, t.modifier) as text, format_type(t.oid, null) as base
from unnest($1::oid[], $2::int[]) with ordinality as t(oid, modifier, position)
order by t.position
