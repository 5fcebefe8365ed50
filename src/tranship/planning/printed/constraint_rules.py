"""What the constraints of a table demand of a row, in words around the server's own texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tranship.model.catalog import Index, Table
from tranship.model.types import PgType


def rules_of(table: Table) -> Mapping[str, str]:
    """Returns by name what each check, key, unique index and exclusion constraint of a table demands, the
    checks of its columns' domains included. A domain's check that has the name of a constraint of the table
    is left out.
    """
    domains = (found for column in table.columns for found in _of_domain(column.type))
    keys = ((one.name, f"each {_listed(one.columns)} once") for one in table.keys)
    indexes = ((one.constraint or one.name, _of_index(one)) for one in table.indexes if _is_rule(one))
    checks = ((one.name, one.expression) for one in table.checks)
    return dict((*domains, *keys, *indexes, *checks))


def _of_domain(type_: PgType) -> Iterator[tuple[str, str]]:
    """Yields the checks of a domain, and of the domains below it and of its elements."""
    yield from ((check.name, check.expression) for check in type_.checks)
    if type_.element is not None:
        yield from _of_domain(type_.element)


def _is_rule(index: Index) -> bool:
    return index.unique or bool(index.exclusion_operators)


def _of_index(index: Index) -> str:
    only = f" where {index.predicate}" if index.predicate is not None else ""
    if index.exclusion_operators:
        pairs = zip(index.keys, index.exclusion_operators, strict=False)
        agreed = tuple(f"{key} WITH {_sign(operator)}" for key, operator in pairs)
        return f"no two rows that agree on {_listed(agreed)}{only}"
    return f"each {_listed(index.keys)} once{only}"


def _listed(names: tuple[str, ...]) -> str:
    return f"({', '.join(names)})"


def _sign(operator: str) -> str:
    """Returns the sign of ``OPERATOR(schema.sign)``."""
    return operator.removeprefix("OPERATOR(").removesuffix(")").rpartition(".")[2]
