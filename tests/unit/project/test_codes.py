"""The table of error codes: each code means one thing, each message can be put into words,
and each is raised somewhere.
"""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import tranship
from tranship.errors import table
from tranship.errors.message import (
    ConnectMessage,
    DiffersMessage,
    Message,
    RefusalMessage,
    StopMessage,
    UsageMessage,
)

SOURCE = Path(tranship.__file__).parent
FAMILIES: dict[str, type[Message]] = {
    "1": UsageMessage,
    "2": ConnectMessage,
    "3": RefusalMessage,
    "4": StopMessage,
    "5": DiffersMessage,
    "9": Message,
}
ROWS = table.rows()
MESSAGES = [one for code in ROWS for one in table.messages(code)]


def test_codes_have_the_form_of_codes_and_are_defined_once() -> None:
    assert [code for code in ROWS if not re.fullmatch(r"TS[1-59]\d\d", code)] == []
    heads = [
        code
        for module in table.MODULES
        for code in re.findall(r'code = "(TS\d+)"', Path(str(module.__file__)).read_text(encoding="utf-8"))
    ]
    assert sorted(heads) == sorted(ROWS)


@pytest.mark.parametrize("code", ROWS)
def test_a_code_says_what_it_means_and_what_to_do(code: str) -> None:
    row = ROWS[code]
    assert row.meaning and row.cure
    assert not row.meaning.endswith(".") and not row.cure.endswith(".")


@pytest.mark.parametrize("what", MESSAGES, ids=lambda what: what.__name__)
def test_templates_name_fields_and_the_family_gives_the_exit_status(what: type[Message]) -> None:
    assert what.message
    assert issubclass(what, FAMILIES[what.code[2]])
    for template in (what.message, what.hint, what.about):
        for _, field, _, _ in Formatter().parse(template):
            if field is not None:
                assert field.split(".")[0] in what.__struct_fields__, f"{what.__name__}: {field}"


def test_every_message_is_raised_and_no_code_stands_outside_the_table() -> None:
    raisers = "\n".join(
        path.read_text(encoding="utf-8")
        for path in SOURCE.rglob("*.py")
        if SOURCE / "errors" not in path.parents
    )
    used = re.sub(
        r"^from tranship\.errors\.codes\.\w+ import (?:\([^)]*\)|.*)$", "", raisers, flags=re.MULTILINE
    )
    words = set(re.findall(r"\w+", used))
    assert [what.__name__ for what in MESSAGES if what.__name__ not in words] == []
    assert re.findall(r'"TS\d{3}"', raisers) == []
