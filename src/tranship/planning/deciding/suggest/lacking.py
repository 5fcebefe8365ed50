"""New columns that need a value and that no old column was found for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tranship.model.catalog import Column
from tranship.model.change import Change, ChangeClass
from tranship.model.references import references
from tranship.planning.deciding.resolve.words import SPECIFY_DEFAULT_VALUE
from tranship.planning.deciding.suggest.constants import Constant, beside_flags, constant, kind_label
from tranship.planning.deciding.suggest.context import TablePairContext
from tranship.planning.deciding.suggest.drafts import Confidence, Draft, Field
from tranship.planning.deciding.suggest.facts import Fact
from tranship.planning.deciding.suggest.over_parent import over_parent
from tranship.planning.deciding.suggest.own_keys import own_uuid
from tranship.planning.deciding.suggest.switches import two_valued
from tranship.planning.deciding.suggest.tenants import tenant_column, tenant_reason, tenant_value
from tranship.planning.names.families import family


def lacking(
    tables: TablePairContext, removed: Mapping[str | None, Change], added: Mapping[str | None, Change]
) -> list[Draft]:
    """Returns drafts for new columns that need a value and that no old column was found for."""
    lacking = [change for change in added.values() if change.cls is ChangeClass.BREAKING]
    lost = [name for name in removed if name is not None]
    return [
        over_parent(tables, change) or own_uuid(tables, change) or _constant(tables, change, lost)
        for change in lacking
    ]


def _constant(tables: TablePairContext, change: Change, lost: Sequence[str]) -> Draft:
    """Returns the draft of a new column that needs a value; ``lost`` are old columns that fill none."""
    name = change.new_column or ""
    column = tables.after.column(name)
    found = _proposed_constant(tables, column, lost) if column is not None else None
    fields: dict[str, Field] = {}
    if found is not None and found.value != SPECIFY_DEFAULT_VALUE:
        fields = {"new_column": name, "action": "default", "default_value": found.value}
    reasons: tuple[Fact, ...] = (found.why, *found.beside) if found is not None else ()
    keys = [key for key in references(tables.after) if name in key.columns]
    if keys:
        reasons = (*reasons, f"refers to {keys[0].target}: the value must be there")
    return Draft(
        change.description,
        None,
        name,
        fields,
        complete=False,
        confidence=Confidence.GUESS,
        evidence=(*change.evidence, *reasons),
    )


def _proposed_constant(tables: TablePairContext, column: Column, lost: Sequence[str]) -> Constant | None:
    """Returns the constant to suggest; SPECIFY_DEFAULT_VALUE stands for one that a person has to give."""
    found = _found_constant(tables, column)
    if found is not None and not found.empty:
        return beside_flags(found, two_valued(tables, lost))
    # Of a rename that is doubted the old column may belong here as well.
    doubted = [old for (old, _), other in tables.ambiguous.items() if other in ("", column.name)]
    alike = [left for left in dict.fromkeys((*lost, *doubted)) if is_alike(tables, left, column)]
    if found is None or not alike:
        return found
    # An empty value that nothing speaks for would hide the loss of the values beside it.
    names = ", ".join(map(repr, alike[:10]))
    return Constant(SPECIFY_DEFAULT_VALUE, f"old columns of such a type that fill none: {names}")


def _found_constant(tables: TablePairContext, column: Column) -> Constant | None:
    """Returns the constant for a new column; that of a tenant may be a placeholder."""
    olds = [tables.old.table(pair.old) for pair in tables.partners if pair.new == tables.after.name]
    sources = [*filter(None, olds), *tables.joining]
    fed = {columns.new for columns in tables.columns}
    unfilled = [one for one in tables.after.columns if one.name not in fed]
    if tenant_column(tables.after, unfilled, sources) == column:
        return Constant(tenant_value(tables.after, column, tables.before), tenant_reason(column))
    named = kind_label(tables.after, column, tables.before.name.name)
    held = tables.evidence.held(tables.after.name, column.name)
    return named or constant(tables.after, column, tables.new, held)


def is_alike(tables: TablePairContext, left: str, target: Column) -> bool:
    """Returns whether an old column has the family of a new one, and holds a value."""
    source, facts = tables.before.column(left), tables.facts(left)
    empty = facts is not None and facts.filled == 0 and not facts.sampled
    return source is not None and family(source.type) == family(target.type) and not empty
