"""What speaks for new values of a key, and for the way from an old reference to a new one. By the catalogs
alone: nothing of it is filled in.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from tranship.model.catalog import Column, ForeignKey, Table
from tranship.model.change import TablePair
from tranship.model.names import TableName
from tranship.model.references import references
from tranship.model.resolution import Action
from tranship.planning.comparing.meaning import KeyOfParents
from tranship.planning.deciding.lookup_questions import labels_of
from tranship.planning.deciding.suggest.context import ColumnPairContext, TablePairContext
from tranship.planning.deciding.suggest.drafts import NO_TRANSLATION, Confidence, Field, Translation
from tranship.planning.deciding.suggest.new_names import new_names
from tranship.planning.deciding.suggest.promoted import promoted_key
from tranship.planning.names.families import family
from tranship.planning.names.tokens import stems


def key_translation(pair: ColumnPairContext) -> Translation:
    """Returns a new key, a reference that follows one, or a lookup of what the old reference names; nothing
    where the catalogs speak for none of them.
    """
    tables = pair.tables
    if _is_own_key(pair):
        return _new_key(pair)
    before, after = _single_key(tables.before, pair.source.name), _single_key(tables.after, pair.target.name)
    if after is None:
        return _of_another_key(pair) or NO_TRANSLATION
    over = _over_parent_key(pair, before, after) if before is not None else _by_name(pair, after)
    if over is not None and over.fields:
        return over
    another = _of_another_key(pair)
    if another is not None:
        return another
    if over is not None:
        return over
    several = _over_several_columns(pair, after) if before is None else NO_TRANSLATION
    if several.fields:
        return several
    return _new_values(pair, after) if before is None else NO_TRANSLATION


def _is_own_key(pair: ColumnPairContext) -> bool:
    old, new = pair.tables.before.primary_key, pair.tables.after.primary_key
    return (
        old is not None
        and new is not None
        and (old.columns, new.columns) == ((pair.source.name,), (pair.target.name,))
        and _single_key(pair.tables.before, pair.source.name) is None
    )


def _new_key(pair: ColumnPairContext) -> Translation:
    """Returns new values of a key whose old ones NEW's type cannot hold."""
    way = _way(pair)
    if way is None:
        return NO_TRANSLATION
    # Of two names the entry says, too, which new column the old one fills.
    names = pair.names if pair.source.name != pair.target.name else {}
    fields: dict[str, Field] = {**names, "action": Action.NEW_KEY, "column": pair.source.name, "as": way}
    return Translation(fields, evidence=(f"{_WAYS[way]}: foreign keys that lead to it follow by themselves",))


_WAYS = {
    "uuid": "the UUID is computed from the old key, the same in every run",
    "number": "numbers are given in the order of the old key, behind those that NEW holds",
}


def _way(pair: ColumnPairContext) -> str | None:
    """Returns how ``new_key`` would make values of NEW's type; None where the old values may do."""
    source, target = family(pair.source.type), family(pair.target.type)
    if pair.conversion.automatic:
        return None
    if pair.target.type.leaf.base == "uuid":
        return "uuid" if source == "integer" or _refused(pair) else None
    return "number" if target == "integer" and (source == "uuid" or _refused(pair)) else None


def _refused(pair: ColumnPairContext) -> bool:
    refusals = pair.tables.evidence.refused(*pair.refs)
    return refusals is not None and refusals.refused_values > 0


def _over_parent_key(pair: ColumnPairContext, before: ForeignKey, after: ForeignKey) -> Translation | None:
    """Returns a lookup where NEW refers to its parent by another column, else that the column follows it;
    None where the foreign keys lead to tables that are no pair.
    """
    parent = _partner(pair.tables, before.target, after.target)
    if parent is None:
        return None
    likely = {one.old: one.new for one in parent.proposals} | {one.old: one.new for one in parent.columns}
    held = likely.get(before.target_columns[0])
    key = after.target_columns[0]
    table = pair.tables.new.table(after.target)
    if table is None or held is None:
        return NO_TRANSLATION
    if held == key:
        return NO_TRANSLATION if pair.conversion.bare else _to_changed_key(pair, before, table, parent)
    if not any(one.columns == (held,) for one in table.keys):
        return NO_TRANSLATION
    lookup = _lookup(table, held, key)
    evidence = (
        f"OLD's {before.target} is known by '{before.target_columns[0]}', which fills "
        f"NEW's {after.target}.{held}; NEW's own key there is '{key}'"
    )
    names = new_names(pair.facts, pair.source, pair.target)
    fields: dict[str, Field] = {**pair.names, "action": "transform", **names.fields, "lookup_table": lookup}
    confidence = Confidence.LIKELY if names.clean else Confidence.GUESS
    return Translation(fields, confidence=confidence, coverage=1.0, evidence=(evidence, *names.evidence))


def _by_name(pair: ColumnPairContext, after: ForeignKey) -> Translation | None:
    """Returns the lookup where OLD declares no foreign key, and the column is called like the one key of the
    old table that fills the parents: ``cust_id`` in both, or ``customer_code`` for the ``code`` of customers.
    """
    above = _only_filler(pair.tables, after.target)
    key = above.primary_key if above is not None else None
    held = above.column(key.columns[0]) if above is not None and key is not None else None
    if above is None or held is None or key is None or len(key.columns) != 1:
        return None
    if family(held.type) != family(pair.source.type) or not _is_called(pair, held, above):
        return None
    implied = ForeignKey("", (pair.source.name,), above.name, key.columns)
    found = _over_parent_key(pair, implied, after)
    return found if found is not None and "lookup_table" in found.fields else None


def several_keys(pair: ColumnPairContext) -> str:
    """Returns, in words, that a new reference may mean another key of its parents than the old values are;
    empty where they have one key of such a type, or OLD's foreign key or the column's name says which it is.
    """
    after = _single_key(pair.tables.after, pair.target.name)
    above = _only_filler(pair.tables, after.target) if after is not None else None
    if after is None or above is None or _references_of(pair.tables.before, pair.source.name):
        return ""
    alike, meant = _single_keys(above, family(pair.target.type)), after.target_columns[0]
    if len(alike) < 2 or stems(meant)[-1:] == stems(pair.source.name)[-1:]:
        return ""
    known = f"OLD's {above.name} is known by {_listed(alike)}, and NEW means '{meant}'"
    return f"{known}: nothing says which of them the values of '{pair.source.name}' are"


def _single_keys(table: Table, kind: str) -> list[str]:
    """Returns the columns of a family that are a key by themselves."""
    singles = dict.fromkeys(key.columns[0] for key in table.keys if len(key.columns) == 1)
    columns = (table.column(name) for name in singles)
    return [one.name for one in columns if one is not None and family(one.type) == kind]


def _references_of(table: Table, column: str) -> list[ForeignKey]:
    """Returns the foreign keys of a table in which a column takes part."""
    return [key for key in references(table) if column in key.columns]


def _only_filler(tables: TablePairContext, new: TableName) -> Table | None:
    """Returns the old table that fills a new one, if it is one alone."""
    old = [one.old for one in tables.partners if one.new == new]
    return tables.old.table(old[0]) if len(old) == 1 else None


def _is_called(pair: ColumnPairContext, key: Column, above: Table) -> bool:
    """Returns whether a column is called like a key: by a name of its own, or with that of its table."""
    name = stems(pair.source.name)
    own = stems(key.name)
    return (name == own and len(own) > 1) or name == (*stems(above.name.name), *own)


def _of_another_key(pair: ColumnPairContext) -> Translation | None:
    """Returns the lookup over the key that an old reference holds where NEW means another one; a guess where
    the values may be either of them. None: NEW means the same key.
    """
    concern = pair.tables.another_key(pair.source.name, pair.target.name)
    if concern is None or concern.over is None:
        return None
    found = _over_another_key(pair, concern.over)
    return replace(found, confidence=Confidence.GUESS) if concern.bare else found


def _over_another_key(pair: ColumnPairContext, key: KeyOfParents) -> Translation:
    """Returns the lookup, in OLD's table of the parents, of the column that NEW refers to."""
    single = len(key.columns) == 1
    lookup: dict[str, str | tuple[str, ...]] = {
        "table": key.table.name,
        **({"key_column": key.columns[0]} if single else {"key_columns": key.columns}),
        "value_column": key.instead,
        "schema": key.table.schema,
        "database": "old",
    }
    names: dict[str, Field] = (
        pair.names if single else {"old_columns": key.held, "new_column": pair.target.name}
    )
    evidence = f"OLD's {key.table} tells the {key.instead} of each {', '.join(key.columns)}"
    fields: dict[str, Field] = {**names, "action": "transform", "lookup_table": lookup}
    return Translation(fields, confidence=Confidence.LIKELY, coverage=1.0, evidence=(evidence,))


def _over_several_columns(pair: ColumnPairContext, after: ForeignKey) -> Translation:
    """Returns a lookup where OLD refers to the parent by several columns, which fill a key of NEW's table,
    and NEW by one of its own.
    """
    tables = pair.tables
    keys = (key for key in references(tables.before) if pair.source.name in key.columns)
    for key in keys:
        parent, table = _partner(tables, key.target, after.target), tables.new.table(after.target)
        if parent is None or table is None:
            continue
        names = {one.old: one.new for one in parent.columns}
        held = tuple(names.get(column, "") for column in key.target_columns)
        if after.target_columns[0] in held or not any(set(one.columns) == set(held) for one in table.keys):
            continue
        lookup: dict[str, str | tuple[str, ...]] = {
            "table": table.name.name,
            "key_columns": held,
            "value_column": after.target_columns[0],
            "schema": table.name.schema,
        }
        evidence = (
            f"OLD's {key.target} is known by {_listed(key.target_columns)}, which fill the same key of "
            f"NEW's {after.target}; NEW's own key there is '{after.target_columns[0]}'"
        )
        fields: dict[str, Field] = {
            "old_columns": key.columns,
            "new_column": pair.target.name,
            "action": "transform",
            "lookup_table": lookup,
        }
        return Translation(fields, confidence=Confidence.LIKELY, coverage=1.0, evidence=(evidence,))
    return NO_TRANSLATION


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _to_changed_key(
    pair: ColumnPairContext, before: ForeignKey, after: Table, parent: TablePair
) -> Translation:
    """Returns a lookup in OLD where another column of it may be the new key, else that the column follows."""
    above = pair.tables.old.table(before.target)
    found = promoted_key(above, after, parent) if above is not None else None
    if found is None:
        return _follows(pair, before)
    key = KeyOfParents(before.target, before.target_columns, before.columns, found.instead.name)
    return _over_another_key(pair, key)


def _follows(pair: ColumnPairContext, before: ForeignKey) -> Translation:
    """Returns what to say of a reference to a key that cannot be converted."""
    where = f"{before.target}.{before.target_columns[0]}"
    if pair.source.name != pair.target.name:
        named = f"refers to {where}: with 'new_key' there it follows by itself, under its new name"
        return Translation({**pair.names, "action": Action.RENAME}, evidence=(named,))
    evidence = (
        f"refers to {where}: with 'new_key' there it follows by itself, and this entry may stay or be deleted"
    )
    return Translation(evidence=(evidence,))


def _new_values(pair: ColumnPairContext, after: ForeignKey) -> Translation:
    """Returns a lookup that adds what it lacks, where a text becomes a reference to a table of such texts
    that nothing else fills.
    """
    table = next((one for one in pair.tables.unfilled if one.name == after.target), None)
    if table is None or family(pair.source.type) not in ("text", "enum"):
        return NO_TRANSLATION
    if any(facts.found for facts in pair.tables.lookups(pair.source.name, pair.target.name)):
        # The table knows some of the values already: how many is said with the lookup.
        return NO_TRANSLATION
    label = _own_text(table, after.target_columns[0])
    spoken = set(stems(pair.target.name)) | set(stems(table.name.name))
    if label is None or not spoken & set(stems(pair.source.name)):
        return NO_TRANSLATION
    lookup = {**_lookup(table, label.name, after.target_columns[0]), "add_missing": True}
    evidence = (
        f"NEW's {table.name}, which nothing fills, needs only a '{label.name}' for each row: "
        "'add_missing' adds the distinct values first"
    )
    names = new_names(pair.facts, pair.source, pair.target)
    fields: dict[str, Field] = {**pair.names, "action": "transform", **names.fields, "lookup_table": lookup}
    confidence = Confidence.LIKELY if names.clean else Confidence.GUESS
    return Translation(fields, confidence=confidence, coverage=1.0, evidence=(evidence, *names.evidence))


def _own_text(table: Table, key: str) -> Column | None:
    """Returns the unique text of a table that needs no value but it."""
    needing = [c.name for c in table.columns if c.refuses_null and not c.filled_by_server]
    for label in labels_of(table):
        unique = any(one.columns == (label.name,) for one in table.keys)
        if unique and label.name != key and set(needing) <= {label.name}:
            return label
    return None


def _lookup(table: Table, key: str, value: str) -> dict[str, str | bool]:
    return {"table": table.name.name, "key_column": key, "value_column": value, "schema": table.name.schema}


def _partner(tables: TablePairContext, old: TableName, new: TableName) -> TablePair | None:
    return next((one for one in tables.partners if (one.old, one.new) == (old, new)), None)


def _single_key(table: Table, column: str) -> ForeignKey | None:
    return next((key for key in references(table) if key.columns == (column,)), None)
