"""A row of the table of error codes: the words as templates, and the fields that fill them."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from msgspec import Struct

from tranship.model.resolution import Problem
from tranship.model.visible import visible


class Message(Struct, frozen=True):
    """One thing that can be said, as a value: its code, its words with places for the fields, and the fields.

    A class that sets ``code`` is a row of the table; classes derived from it are further messages of the same
    code. Templates are Python format strings over the fields and properties of the class.  A tuple is shown
    with commas, a side in capitals.  Words that follow a number, or the length of a tuple, give both forms:
    ``{rows:# row is|# rows are}``, where ``#`` stands for the number or the elements.
    """

    code: ClassVar[str] = ""
    """``TS203``: stable, never used for anything else."""
    meaning: ClassVar[str] = ""
    """What the code means, for the manual and ``tranship explain``: Markdown, without a full stop."""
    cure: ClassVar[str] = ""
    """What a person does about it; the same form."""
    message: ClassVar[str] = ""
    """What happened."""
    hint: ClassVar[str] = ""
    """What to do next."""
    about: ClassVar[str] = ""
    """The object that the message is about."""
    warning: ClassVar[bool] = False
    """The message is shown and refuses nothing."""
    transient: ClassVar[bool] = False
    """The cause may pass by itself: worth another attempt."""
    exit_status: ClassVar[int] = 2

    def problem(self, about: str = "") -> Problem:
        """Returns the message in words, on one line whatever its fields hold.

        ``about`` names the object where the class does not.
        """
        return Problem(
            code=self.code,
            object=about or self._filled(self.about),
            message=self._filled(self.message),
            hint=self._filled(self.hint),
            warning=self.warning,
        )

    def _filled(self, template: str) -> str:
        return visible(template.format_map(_Shown(self)))


class _Shown:
    """The fields and properties of a message as a template shows them."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def __getitem__(self, name: str) -> object:
        value: object = getattr(self._message, name)
        if isinstance(value, tuple):
            return Counted(len(value), ", ".join(str(one) for one in value))
        if isinstance(value, int):
            return Counted(value, str(value))
        if isinstance(value, Enum):
            return str(value).upper()
        return value


class Counted:
    """A number or a list in a template. A format of two forms, as in ``{rows:# row|# rows}``, gives the first
    one for one thing and the second for any other number; ``#`` is the number or the list itself.
    """

    def __init__(self, number: int, shown: str) -> None:
        self._number = number
        self._shown = shown

    def __format__(self, forms: str) -> str:
        """Returns the form that agrees with the number; without forms the number or the list alone.

        Raises ValueError where there are forms and they are not two.
        """
        if not forms:
            return self._shown
        one, many = forms.split("|")
        return (one if self._number == 1 else many).replace("#", self._shown)


class UsageMessage(Message, frozen=True):
    """TS1xx: arguments, configuration or a file are wrong."""


class ConnectMessage(Message, frozen=True):
    """TS2xx: a server cannot be reached, or refuses us."""


class RefusalMessage(Message, frozen=True):
    """TS3xx: a safety rule refuses the run, or a person has to know something before it."""

    exit_status = 3


class DiffersMessage(Message, frozen=True):
    """TS5xx: NEW does not hold what the plan and OLD say."""

    exit_status = 5


class StopMessage(Message, frozen=True):
    """TS4xx: the run stopped after its start and can be resumed."""

    exit_status = 4
