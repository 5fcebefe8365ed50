"""A case as a value: two databases, decisions, and what must come of them,
in the order in which it happens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from support.cases.outcome import Login, Outcome
from support.fences import Fence

SideName = Literal["old", "new"]


class Side(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the two databases."""

    encoding: str = "UTF8"
    settings: dict[str, str] = {}
    """Set for the database (ALTER DATABASE … SET) before its script runs,
    so they hold for every session of the tool, too.
    """
    login: str | Login | None = None
    """The role that tranship uses, by its name in ``roles``; without, the superuser."""


class Databases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a case takes place; what a fence ``json databases`` says."""

    servers: tuple[str, ...] = ()
    """Pairs of major versions (``15:18``) on each of which the case holds, and on no others;
    without: on all.
    """
    roles: dict[str, str] = {}
    """Roles by name, made on both servers before the scripts run, with the attributes of CREATE ROLE;
    each may log in with the password ``secret``, and is dropped with the databases.
    """
    old: Side = Side()
    new: Side = Side()

    def side(self, name: SideName) -> Side:
        """Returns the description of one side."""
        return self.old if name == "old" else self.new

    def login(self, name: SideName) -> Login | None:
        """Returns the account that tranship uses on one side, None for the superuser."""
        login = self.side(name).login
        return Login(login) if isinstance(login, str) else login

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The pairs of major versions, as numbers."""
        return [(int(old), int(new)) for old, new in (pair.split(":") for pair in self.servers)]


@dataclass(frozen=True)
class Script:
    """Run by psql on one side."""

    side: SideName
    text: str


@dataclass(frozen=True)
class Keys:
    """Further keys of the configuration, from here on."""

    document: dict[str, object]


@dataclass(frozen=True)
class Decisions:
    """The resolutions, from here on; ``name`` is another file that only ``console`` blocks use."""

    text: str
    name: str = "resolutions.json"


@dataclass(frozen=True)
class Wrong:
    """Resolutions with which the live run is refused and NEW stays as it is."""

    text: str
    why: str


@dataclass(frozen=True)
class Expected:
    """The whole walk: analyze, dry run, rehearsal, live run, second run; and what each of them comes to."""

    outcome: Outcome


@dataclass(frozen=True)
class Asked:
    """A script for ``psql -AtX`` and its answer; ``place`` is where the answer stands
    in the file of the case.
    """

    side: SideName
    script: str
    answer: str
    place: tuple[int, int] | None = None


@dataclass(frozen=True)
class Console:
    """Commands with their output."""

    fence: Fence


Step = Script | Keys | Decisions | Wrong | Expected | Asked | Console


@dataclass(frozen=True)
class Case:
    """One case: a file of the project's or a folder beside the checkout."""

    name: str
    path: Path
    steps: tuple[Step, ...]
    databases: Databases = field(default_factory=Databases)
    only_on: int | None = None
    """The expectation holds for this major version alone."""
    holder: Path | None = None
    """``hold_temp.sh OLD_URL NEW_URL`` runs from the first command to the last."""
    writer: Path | None = None
    """``writer.sh OLD_URL SECONDS`` runs while the live run does."""

    @property
    def own(self) -> bool:
        """It is a file of the project's, so its answers may be rewritten."""
        return self.path.suffix == ".md"

    @property
    def kind(self) -> str:
        """The outcome of its first walk, for tables of cases."""
        return next((step.outcome.outcome for step in self.steps if isinstance(step, Expected)), "console")
