"""A draft: the answer that the evidence speaks for, and whether it may be in the file as an action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from tranship.model.resolution import Action
from tranship.model.types import PgType
from tranship.planning.deciding.resolve.words import (
    SPECIFY_ACTION,
    SPECIFY_DEFAULT_VALUE,
    SPECIFY_NEW_COLUMN_NAME,
)
from tranship.planning.deciding.suggest.example import example
from tranship.planning.deciding.suggest.facts import Fact

Field = (
    str
    | bool
    | None
    | Mapping[str, str | None]
    | Mapping[str, str]
    | Mapping[str, str | bool]
    | Mapping[str, str | tuple[str, ...]]
    | tuple[str, ...]
)


_TARGETS = ("new_column", "new_table", "column")
"""Fields that say what an action makes, in the order in which they are looked for."""


class Confidence(StrEnum):
    """How much the evidence carries."""

    HIGH = "high"
    """The data say so: every row was looked at."""
    LIKELY = "likely"
    GUESS = "guess"

    @property
    def words(self) -> str:
        """How sure a suggestion is, for people."""
        return {"high": "tried on every row", "guess": "a guess"}.get(self.value, self.value)


class AskedOnce(Struct, frozen=True):
    """A question that is the same for every column of an old and a new type."""

    when: str
    """The two types as a pattern names them: ``timestamp -> timestamptz``."""
    zone: str
    """The time zone of OLD's database."""
    reasons: tuple[str, ...]
    """What the comparison said of the change."""
    empty: bool
    """OLD holds no value in this column: every row was looked at."""
    types: tuple[PgType, PgType]
    value: str
    """The old column as an expression names it."""
    renamed: bool = False
    """Whether the two columns are one is asked as well."""
    fits: bool = False
    """The conversion of a renamed column would be filled in."""


class Draft(Struct, frozen=True):
    """One entry of the file for one question."""

    question: str
    old_column: str | None
    new_column: str | None
    fields: Mapping[str, Field]
    """The suggested resolution; empty: nothing is suggested."""
    complete: bool
    """Whether it leaves no data behind and no value open, so that the action is filled in."""
    confidence: Confidence = Confidence.LIKELY
    evidence: tuple[Fact, ...] = ()
    inserts: tuple[str, ...] = ()
    asked_once: AskedOnce | None = None
    """The question is about the two types, not about this column, and so asked once for all such columns."""
    instead: str = ""
    """Where ``fields`` leave data behind and the file suggests a place for them: where that stands."""
    rival: str = ""
    """The name of another column or table that may be meant as well."""

    @property
    def leaves_behind(self) -> bool:
        """Whether data of OLD would not be copied."""
        return self.fields.get("action") in ("ignore", "drop_table")

    @property
    def sources(self) -> tuple[str, ...]:
        """The old columns that it is about."""
        several = self.fields.get("old_columns")
        names = several if isinstance(several, tuple) else ()
        own = (self.old_column,) if self.old_column is not None and self.old_column not in names else ()
        return (*names, *own)

    @property
    def filters(self) -> bool:
        """Whether it chooses rows by a column, which alone does not say what becomes of the column."""
        return self.fields.get("action") == Action.FILTER

    @property
    def words(self) -> str:
        """The suggestion in one line."""
        if not self.fields or self.instead:
            return self.instead or "nothing is suggested"
        action = str(self.fields.get("action", ""))
        if action == Action.DROP_TABLE:
            # The word alone reads as if a table were dropped.
            action = f"leave out ({action})"
        target = next((self.fields[name] for name in _TARGETS if self.fields.get(name)), None)
        names = " → ".join(str(name) for name in (self._source_words, target) if name)
        rival = f"; {self.rival!r} may be meant as well" if self.rival else ""
        parts = (action, names, self._value_words, f"({self.confidence.words}{rival})")
        return " ".join(part for part in parts if part)

    @property
    def _source_words(self) -> str:
        several = self.fields.get("old_columns")
        return ", ".join(several) if isinstance(several, tuple) else str(self.fields.get("old_column") or "")

    @property
    def _value_words(self) -> str:
        """How the value is found: by one of the ways of a transform, else as a constant."""
        ways = [way for way in ("value_mapping", "lookup_table", "transform_sql") if way in self.fields]
        if ways:
            null = self.fields.get("null_value")
            return f"by {ways[0]}" + (f", NULL = {null!r}" if null else "")
        return f"= {self.fields['default_value']!r}" if "default_value" in self.fields else ""

    def entry(self) -> dict[str, object]:
        """Returns what is written into the file."""
        body: dict[str, object] = {"description": self.question}
        if self.complete:
            body |= self.fields
            body["_suggestion"] = f"filled in: {self.words}"
        else:
            body |= self._open()
            if self.fields and not self.instead:
                body["_suggestion"] = {"confidence": self.confidence.value, **self.fields}
            body["_example"] = example(self.sources, self.new_column, self.fields)
        if self.evidence:
            body["_evidence"] = [str(fact) for fact in self.evidence]
        return body

    def _open(self) -> dict[str, object]:
        if self.old_column is None and self.new_column is None:
            return {"action": SPECIFY_ACTION}
        if self.old_column is None:
            return {
                "new_column": self.new_column,
                "action": "default",
                "default_value": SPECIFY_DEFAULT_VALUE,
            }
        # Whoever is asked whether a column may be left behind need not delete a placeholder for another
        # answer.
        ignored = self.fields.get("action") in ("ignore", "filter") and "new_column" not in self.fields
        if self.new_column is None and ignored:
            return {"old_column": self.old_column, "action": SPECIFY_ACTION}
        several = self.fields.get("old_columns")
        named = {"old_columns": several} if several is not None else {"old_column": self.old_column}
        return {**named, "new_column": self.new_column or SPECIFY_NEW_COLUMN_NAME, "action": SPECIFY_ACTION}


class Translation(Struct, frozen=True):
    """What is suggested for a pair of columns."""

    fields: Mapping[str, Field] = {}
    complete: bool = False
    confidence: Confidence = Confidence.GUESS
    coverage: float = 0.0
    """The part of the distinct values that arrives, 0 to 1."""
    evidence: tuple[Fact, ...] = ()
    inserts: tuple[str, ...] = ()


NO_TRANSLATION = Translation()


def old_names(drafts: Sequence[Draft]) -> set[str]:
    """Returns the old columns that drafts are about."""
    return {name for draft in drafts for name in draft.sources}
