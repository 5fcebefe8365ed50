"""References that OLD's values make where it declares no foreign key, while a decision changes the key.

A value that is a key of OLD's parents says whose child the row is, before the decision gives that key to
another parent.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tranship.model.catalog import ForeignKey, Table
from tranship.model.expression import Lookup, Sql, Take
from tranship.model.plan import TablePlan
from tranship.planning.plan.unchanged import mapping_of
from tranship.planning.plan.wider_keys import origin
from tranship.planning.printed.names import mentioned


def implied_key(
    key: ForeignKey, child: TablePlan, parents: Sequence[TablePlan], above: Table | None
) -> ForeignKey | None:
    """Returns the key over OLD's columns for which a key of NEW of one column stands, as if OLD declared it;
    None where nothing says over which.

    ``above`` is the old table of all these parents. The child takes a column as it is. It stands for the
    column that the parents' key is made of, or for OLD's primary key where that is looked up by another one.
    """
    if above is None or len(key.columns) != 1 or {parent.old for parent in parents} != {above.name}:
        return None
    if child.shape.query is not None:
        # A person's SELECT says what its values mean.
        return None
    mapping = mapping_of(child, key.columns[0])
    if mapping is None or not isinstance(mapping.expression, Take):
        return None
    found = {_key_of(parent, key.target_columns[0], above) for parent in parents}
    target = found.pop() if len(found) == 1 else None
    if target is None:
        return None
    columns = (mapping.expression.column,)
    return replace(key, columns=columns, target=above.name, target_columns=(target,))


def _key_of(parent: TablePlan, name: str, above: Table) -> str | None:
    mapping = mapping_of(parent, name)
    if mapping is None:
        return None
    primary = above.primary_key.columns if above.primary_key is not None else ()
    match mapping.expression:
        case Sql(text=text):
            read = mentioned(text, above)
            of = read if len(read) == 1 else read & set(primary)
        case Lookup():
            of = set(primary)
        case expression:
            return origin(expression)
    return of.pop() if len(of) == 1 else None
