"""The statements that restore what is switched off in NEW, composed from recorded facts: quoted names, quoted
literals and fixed words, nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from tranship.model.catalog import ForeignKey
from tranship.model.names import TableName
from tranship.model.undo import (
    CheckDropped,
    CommentDropped,
    IndexDropped,
    IndexKey,
    KeyDropped,
    KeyUnvalidated,
    RuleDisabled,
    SwitchedOff,
    TriggerDisabled,
    Unreadable,
)
from tranship.sql.new.switches import comment_on_constraint, rule_state, trigger_state, validate_constraint
from tranship.sql.quote import ident, literal, relation

_ACTIONS = {"a": "", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
"""``pg_constraint.confupdtype`` and ``confdeltype`` (PostgreSQL documentation, "pg_constraint")."""


def restoring(off: SwitchedOff) -> tuple[str, ...]:
    """Returns the statements that restore one thing, for one transaction; none for an entry that is not
    ours.
    """
    match off:
        case TriggerDisabled(relation=name, trigger=trigger, state=state):
            return (trigger_state(name, trigger, state),)
        case RuleDisabled(relation=name, rule=rule, state=state):
            return (rule_state(name, rule, state),)
        case KeyDropped():
            return (add_foreign_key(off.table, off.key, partitioned=off.partitioned),)
        case KeyUnvalidated(table=table, key=key):
            return (validate_constraint(table, key),)
        case CommentDropped(table=table, key=key, comment=comment):
            return (comment_on_constraint(table, key, comment),)
        case CheckDropped():
            return _make_check(off)
        case IndexDropped():
            return _make_index(off)
        case Unreadable():
            return ()
        case _:
            assert_never(off)


def add_foreign_key(table: TableName, key: ForeignKey, *, partitioned: bool) -> str:
    """Returns a statement that adds a foreign key back as it was. ``partitioned``: one of its ends is a
    partitioned table.

    NOT VALID adds it without reading the table, so writers wait only for a moment; ``VALIDATE CONSTRAINT``
    reads it later. A partitioned table takes no NOT VALID key before PostgreSQL 18, and a later VALIDATE
    would not reach the copies behind each referenced partition, so such a key is added whole, unless it was
    NOT VALID before. So is a key with PERIOD: VALIDATE lets rows pass that no period covers (seen on
    PostgreSQL 18.6). A key that is NOT ENFORCED is never validated.
    """
    whole_at_once = (partitioned or key.period) and key.validated
    parts = [
        f"ALTER TABLE {relation(table)} ADD CONSTRAINT {ident(key.name)}",
        f"FOREIGN KEY ({_key_columns(key.columns, key)})",
        f"REFERENCES {relation(key.target)} ({_key_columns(key.target_columns, key)})",
        *_rules(key),
    ]
    if key.enforced and not whole_at_once:
        parts.append("NOT VALID")
    return " ".join(parts)


def _rules(key: ForeignKey) -> list[str]:
    """Returns what follows the columns, in the order of the grammar of CREATE TABLE."""
    update, delete = _ACTIONS[key.on_update], _ACTIONS[key.on_delete]
    clauses = [
        ("MATCH FULL", key.match_full),
        (f"ON UPDATE {update}", bool(update)),
        (f"ON DELETE {delete}", bool(delete)),
        (f"({_columns(key.set_columns)})", bool(key.set_columns)),
        ("DEFERRABLE", key.deferrable),
        ("INITIALLY DEFERRED", key.initially_deferred),
        ("NOT ENFORCED", not key.enforced),
    ]
    return [words for words, stands in clauses if stands]


def _key_columns(columns: Sequence[str], key: ForeignKey) -> str:
    """Returns the columns of one end. The last column of a temporal key is its period (PostgreSQL 18)."""
    return f"{_columns(columns[:-1])}, PERIOD {ident(columns[-1])}" if key.period else _columns(columns)


def _columns(columns: Sequence[str]) -> str:
    return ", ".join(ident(column) for column in columns)


def _make_check(off: CheckDropped) -> tuple[str, ...]:
    """Returns what copies a CHECK back from the table that holds it.

    That table's owner has to be one who may alter the table of the check: nobody gets a constraint there that
    way who could not make it himself.
    """
    of, name = literal(relation(off.table)), literal(off.check.name)
    found = f"""
        SELECT pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (%s)%s NOT VALID', {of}, c.conname,
          pg_catalog.pg_get_expr(c.conbin, c.conrelid), CASE WHEN c.connoinherit THEN ' NO INHERIT' END)
        FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class h ON h.oid = c.conrelid
          JOIN pg_catalog.pg_class t ON t.oid = {of}::pg_catalog.regclass
        WHERE c.conrelid = {literal(relation(off.holder))}::pg_catalog.regclass AND c.conname = {name}
          AND c.contype = 'c' AND pg_catalog.pg_has_role(h.relowner, t.relowner, 'MEMBER')"""
    made = (
        f"DO {literal(f'BEGIN EXECUTE ({found}); END')}",
        f"DROP TABLE {relation(off.holder)}",
    )
    if off.comment is None:
        return made
    return (*made, comment_on_constraint(off.table, off.check.name, off.comment))


def _make_index(off: IndexDropped) -> tuple[str, ...]:
    shape, name = off.shape, TableName(off.schema, off.index.name)
    options = ", ".join(f"{ident(option)} = {literal(value)}" for option, value in shape.options)
    parts = [
        f"CREATE INDEX {ident(off.index.name)} ON {relation(off.table)} USING {ident(shape.method)}",
        f"({', '.join(_index_key(key) for key in shape.keys)})",
        f"INCLUDE ({_columns(shape.include)})" if shape.include else "",
        f"WITH ({options})" if options else "",
    ]
    # Without TABLESPACE the index goes where default_tablespace says, which a role or a database may set.
    tablespace = ident(off.tablespace) if off.tablespace is not None else literal("")
    made = (f"SET LOCAL default_tablespace = {tablespace}", " ".join(part for part in parts if part))
    if off.comment is None:
        return made
    return (*made, f"COMMENT ON INDEX {relation(name)} IS {literal(off.comment)}")


def _index_key(key: IndexKey) -> str:
    parts = [
        ident(key.column),
        f"COLLATE {_catalogued(key.collation)}" if key.collation is not None else "",
        _catalogued(key.operator_class) if key.operator_class is not None else "",
        "DESC" if key.descending else "",
        "" if key.nulls_first is None else f"NULLS {'FIRST' if key.nulls_first else 'LAST'}",
    ]
    return " ".join(part for part in parts if part)


def _catalogued(name: tuple[str, str]) -> str:
    return relation(TableName(name[0] or "pg_catalog", name[1]))
