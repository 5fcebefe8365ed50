"""What a preview reads of OLD: the first rows of a flow, their values as people see them, and the texts that
would be sent to NEW.
"""

from __future__ import annotations

from collections.abc import Sequence

from tranship.model.catalog import Column
from tranship.model.locator import Locator
from tranship.model.plan import TablePlan
from tranship.sql.old.row_source import among, row_source
from tranship.sql.quote import ident
from tranship.sql.types.strings import byte_text


def first_rows(plan: TablePlan, number: int, most: int, predicates: Sequence[str] = ()) -> str:
    """Returns a query for the ids of the first rows of one source, in physical order; with predicates only of
    those for which one of them is true.
    """
    rows = row_source(plan, number)
    any_of = [f"({' OR '.join(predicates)})"] if predicates else []
    return f"SELECT {rows.id} {rows.read(any_of)} LIMIT {most}"


def own_values(
    plan: TablePlan, columns: Sequence[Column], rows: Sequence[Locator], most: int, *, raw: bool
) -> str:
    """Returns a query for the id and the old values, as texts, of chosen rows of one source.

    Of a longer text the first ``most`` characters come, and one more. ``raw``: as bytea, because OLD is
    SQL_ASCII. The columns of items come last.
    """
    source = row_source(plan, rows[0].source)
    values = [_text(f"old.{ident(column.name)}", column) for column in columns]
    items = plan.shape.items.columns if plan.shape.items is not None else ()
    values += [f"CAST(item.{ident(name)} AS pg_catalog.text)" for name in items]
    cut = [f"pg_catalog.left({value}, {most + 1})" for value in values]
    if raw:
        cut = [f"pg_catalog.convert_to({value}, 'SQL_ASCII')" for value in cut]
    return f"SELECT {', '.join([source.id, *cut])} {source.read([among(source, rows)])}"


def bounded(select: str, columns: int, most: int) -> str:
    """Returns a query with the rows of a SELECT of an id and some texts (or bytea): the id, the texts, NULL
    in place of one of more than ``most`` bytes, and the numbers of bytes.
    """
    names = [f"c{n}" for n in range(columns)]
    sizes = [f"pg_catalog.octet_length(r.{name})" for name in names]
    kept = [f"CASE WHEN {size} <= {most} THEN r.{name} END" for size, name in zip(sizes, names, strict=True)]
    # OFFSET 0 keeps the planner from computing each text once for every mention.
    inner = f"(SELECT * FROM ({select}) AS s({', '.join(['id', *names])}) OFFSET 0)"
    return f"SELECT {', '.join(['r.id', *kept, *sizes])} FROM {inner} AS r"


def _text(value: str, column: Column) -> str:
    # Before PostgreSQL 15 a "char" above 127 prints as a bare byte.
    shown = byte_text(value) if column.type.leaf.typname == "char" else value
    return f"CAST({shown} AS pg_catalog.text)"
