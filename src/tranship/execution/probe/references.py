"""A foreign key of NEW as a question about given rows."""

from __future__ import annotations

from tranship.execution.context import Job
from tranship.execution.probe.questions import NotAskable
from tranship.model.catalog import ForeignKey, Table
from tranship.sql.canonical import key_text
from tranship.sql.new.given_rows import Reference
from tranship.sql.new.transactions import relation_to_read
from tranship.sql.quote import ident, relation
from tranship.sql.types.values import canonical, deterministic


def reference(job: Job, child: Table, key: ForeignKey) -> Reference:
    """Returns the question whether a parent is in NEW now.

    Raises:
        NotAskable: the parent may not be read.
    """
    target = job.new.table(key.target)
    if target is not None and "SELECT" not in target.privileges and not job.new.superuser:
        raise NotAskable(f"NEW's role may not SELECT from {key.target}")
    shown = [
        text or f"CAST(g.{ident(name)} AS pg_catalog.text)"
        for text, name in zip(_canonicals(child, key), key.columns, strict=True)
    ]
    return Reference(
        constraint=key,
        target=relation_to_read(target) if target is not None else relation(key.target),
        key=key_text(shown),
        faithful=faithful(child, key),
    )


def faithful(child: Table, key: ForeignKey) -> bool:
    """Returns whether the key has a canonical text: two texts are equal exactly where the keys are."""
    return None not in _canonicals(child, key) and all(map(deterministic, key.collations))


def _canonicals(child: Table, key: ForeignKey) -> list[str | None]:
    declared = [(name, child.column(name)) for name in key.columns]
    return [
        canonical(f"g.{ident(name)}", column.type, column.collation) if column is not None else None
        for name, column in declared
    ]
