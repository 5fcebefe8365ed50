"""What a verification found: rows of NEW that are not what OLD's rows become."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace


class DifferenceKind(StrEnum):
    """In which way a row differs."""

    MISSING = "missing"
    """NEW does not hold it any more."""
    CHANGED = "changed"
    """NEW holds other values under its key."""
    MISSING_OR_CHANGED = "missing or changed"
    """NEW does not hold it as the run wrote it: whether somebody deleted or changed it cannot be told."""
    ADDED = "added"
    """NEW holds a row that no row of OLD became, written since the run began."""


class Difference(Struct, frozen=True):
    """One row that differs, or several that cannot be told apart."""

    table: str
    """NEW's table."""
    kind: DifferenceKind
    key: dict[str, str | None] | None = None
    """The columns of NEW's key with their texts; None: it has none, or nobody can say which row it is."""
    columns: tuple[str, ...] = ()
    """Of a changed row: the columns whose values differ."""
    expected: tuple[str | None, ...] = ()
    """Their texts as OLD's row becomes them; empty unless values may be shown."""
    found: tuple[str | None, ...] = ()
    """Their texts in NEW, likewise."""
    rows: int = 1
    by_others: bool = False
    """The row in NEW was written by somebody else's transaction since the run began."""
    old_changed: bool = False
    """OLD was written to since the run: whether this row of NEW or another one is wrong cannot be told."""


def differing(
    differences: Sequence[Difference], *, of_table: bool = True, write: Callable[[int], str] = str
) -> str:
    """Returns in words how many rows differ, and in which way: ``2 of its rows in NEW differ, 1 is gone``.

    ``of_table``: they are rows of one table that is named before. ``write`` makes a text of a number.
    """
    rows: Counter[DifferenceKind] = Counter()
    for one in differences:
        rows[one.kind] += one.rows
    parts = list[str]()
    for kind, (one_row, many_rows) in _DIFFERING.items():
        if rows[kind]:
            noun = "row" if rows[kind] == 1 else "rows"
            # What the number counts is named once, at the first of the run's own rows.
            own = "" if parts or kind is DifferenceKind.ADDED else " of its rows" if of_table else f" {noun}"
            parts.append(f"{write(rows[kind])}{own} {one_row if rows[kind] == 1 else many_rows}")
    return ", ".join(parts)


_DIFFERING = {
    DifferenceKind.CHANGED: ("in NEW differs", "in NEW differ"),
    DifferenceKind.MISSING: ("is gone from NEW", "are gone from NEW"),
    DifferenceKind.MISSING_OR_CHANGED: (
        "is gone from NEW or changed there",
        "are gone from NEW or changed there",
    ),
    DifferenceKind.ADDED: ("row was added to NEW", "rows were added to NEW"),
}
"""How many rows differ in each way, behind their number: of one row, and of several."""


class SecondOpinion(Struct, frozen=True):
    """What was computed once more in Python, without the code that copies and hashes rows."""

    rows: int = 0
    """Rows at edges of their columns, beside rejected ones, and drawn ones."""
    cells: int = 0
    """Their values that were compared with NEW's."""
    apart: tuple[str, ...] = ()
    """What cannot be computed, each with the reason."""
    not_repeated: str = ""
    """Why a later verification could not compute them again, so that this is what the run said of them."""
    old_written: bool = False
    """Rows of OLD were inserted or changed since the run, among those that were looked at."""


class RowsBefore(Struct, frozen=True):
    """Rows of OLD that are no new rows: NEW held theirs before the run."""

    compared: int
    """Those that were equal or were given OLD's values, compared by key in every column that is filled."""
    kept: int = 0
    """Those of which NEW keeps its own row by decision, which is not compared."""
    not_compared: int = 0
    """Others: of which NEW has no key, whose values only a written row shows, or that OLD changed since."""
    apart: tuple[str, ...] = ()
    """What could not be compared, each with the reason: columns, or all of them."""
    not_repeated: str = ""
    """Why a later verification could not compare them again, so that this is what the run said of them."""


class Proof(Struct, frozen=True):
    """What a verification says about the rows of one flow."""

    rows: int
    """Rows that the flow wrote."""
    columns: tuple[str, ...]
    """NEW's columns whose values were compared."""
    apart: tuple[str, ...] = ()
    """Columns that NEW fills by itself, each with the reason why it was not compared."""
    constants: dict[str, str | None] | None = None
    """Columns that NEW fills with the same in every row, and are compared: their texts. None: of an earlier
    version, which compared none.
    """
    printed_by: str = ""
    """``OLD`` where OLD computed what NEW should hold, ``NEW`` where NEW printed what it was sent."""
    differences: tuple[Difference, ...] = ()

    compared: int = 0
    """Rows whose values were compared; likewise where all were."""
    sample: str = ""
    """``P%`` of the batches, whose rows alone were compared; empty: all rows were."""
    second_opinion: SecondOpinion | None = None
    """None: there was none, since rows differ, or an earlier version compared them."""
    rows_before: RowsBefore | None = None
    """None: NEW held none of them, or an earlier version did not look."""

    @property
    def without_values(self) -> Proof:
        """The same without values of rows, keys apart."""
        return replace(
            self, differences=tuple(replace(one, expected=(), found=()) for one in self.differences)
        )

    @property
    def cells_compared(self) -> int:
        """Values that were compared."""
        return self.compared * len(self.columns) if self.sample else self.cells

    @property
    def cells_equal(self) -> int:
        """Those that are as they should be; none are counted where rows differ."""
        return 0 if self.differences else self.cells_compared

    @property
    def cells(self) -> int:
        """Values that are compared where all are."""
        return self.rows * len(self.columns)
