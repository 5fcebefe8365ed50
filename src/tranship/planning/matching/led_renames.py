"""Table renames that only follow from others.

A pair of schemas is known by the tables that are paired in it. While their pairs are proposals, a rule that
would prove further pairs in the same schemas proves nothing yet: those are proposals, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from tranship.model.catalog import Table
from tranship.model.change import TablePair, TableProposal
from tranship.model.names import TableName
from tranship.planning.matching.renames import RenameContext, table_renames
from tranship.planning.names.tokens import stems

_LED = 0.45
"""The score of what a rule proves once other proposals hold: less than even, since they may not."""
_ONLY_NAME = 0.1
"""The score of what nothing but an equal name in another schema speaks for: below that of any other
proposal.
"""
_SAME_NAME = "this table of NEW has the same name in another schema"
_SAME_WORDS = "this table of NEW has the same name, but for singular and plural, in another schema"


def with_led(
    old: Sequence[Table],
    new: Sequence[Table],
    proposals: Sequence[TableProposal],
    context: RenameContext,
    schemas: Mapping[str, str],
) -> tuple[TableProposal, ...]:
    """Returns the proposals with those that follow once they are accepted, and those that follow from these.

    ``old`` and ``new`` are the tables of both sides; ``context.table_pairs`` names those that are paired, and
    ``schemas`` the new schema of an old one, where it is known.
    """
    pairs = dict(context.table_pairs)
    found = list[TableProposal]()
    latest = list(proposals) or _by_name_alone(old, new, pairs, schemas)
    while latest:
        found += latest
        pairs |= {one.old: one.new for one in latest}
        latest = _led(old, new, pairs, context) or _by_name_alone(old, new, pairs, schemas)
    return tuple(found)


def _led(
    old: Sequence[Table], new: Sequence[Table], pairs: Mapping[TableName, TableName], context: RenameContext
) -> list[TableProposal]:
    renames = table_renames(old, new, context=replace(context, table_pairs=pairs))
    led = [_proposal(pair) for pair in renames.automatic]
    return [*led, *renames.proposals]


def _proposal(pair: TablePair) -> TableProposal:
    schemas = f"if {pair.old.schema} becomes {pair.new.schema}, as other suggestions say"
    return TableProposal(pair.old, pair.new, _LED, (*pair.evidence, schemas))


def _by_name_alone(
    old: Sequence[Table],
    new: Sequence[Table],
    pairs: Mapping[TableName, TableName],
    schemas: Mapping[str, str],
) -> list[TableProposal]:
    """Returns the tables without a counterpart whose name one table of NEW has in another schema, and no
    other table of either side. Singular and plural are one name.

    Between schemas that correspond, an equal name has been weighed already.
    """
    taken = set(pairs.values())
    lost = _by_words([table.name for table in old if table.name not in pairs])
    fresh = _by_words([table.name for table in new if table.name not in taken])
    alone = [(lost[words], fresh[words]) for words in lost if words in fresh]
    both = [(a[0], b[0]) for a, b in alone if len(a) == len(b) == 1]
    return [
        TableProposal(a, b, _ONLY_NAME, (_SAME_NAME if a.name == b.name else _SAME_WORDS,))
        for a, b in both
        if schemas.get(a.schema, a.schema) != b.schema
    ]


def _by_words(names: Sequence[TableName]) -> dict[tuple[str, ...], list[TableName]]:
    found: dict[tuple[str, ...], list[TableName]] = {}
    for name in names:
        found.setdefault(stems(name.name), []).append(name)
    return found
