"""Problems and checks in the forms that build servers show: annotations of GitHub, and JUnit's XML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from xml.sax.saxutils import escape, quoteattr

from msgspec import Struct

from tranship.model.resolution import Problem
from tranship.model.visible import visible

_LINE = re.compile(r", line ([0-9]+)\Z")
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_github(problems: Sequence[Problem], file: str) -> list[str]:
    """Returns a workflow command of GitHub Actions for each problem, which shows it beside its line of the
    file.
    """
    return [_annotation(problem, file) for problem in problems]


def _annotation(problem: Problem, file: str) -> str:
    line = _LINE.search(problem.object)
    where = f"file={_property(file)}" + (f",line={line[1]}" if line else "")
    kind = "warning" if problem.warning else "error"
    return f"::{kind} {where},title={_property(problem.code)}::{_data(_words(problem))}"


def _words(problem: Problem) -> str:
    about = f"{problem.object}: " if problem.object and problem.object not in problem.message else ""
    return f"{about}{problem.message}" + (f"\n{problem.hint}" if problem.hint else "")


def _data(text: str) -> str:
    # The runner decodes these three (actions/toolkit, packages/core/src/command.ts).
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


class Ended(Enum):
    """How a check ended. The value is the kind of its annotation."""

    PASSED = "notice"
    FAILED = "error"
    SKIPPED = "warning"
    """Nothing is proven."""


class Checked(Struct, frozen=True):
    """One check, as a build server lists it."""

    name: str
    ended: Ended
    text: str = ""
    """What was found, on one line or several."""


def checks_as_github(checks: Sequence[Checked]) -> list[str]:
    """Returns a workflow command of GitHub Actions for each check that has not passed, and for the last one,
    which is the verdict.
    """
    told = [one for one in checks[:-1] if one.ended is not Ended.PASSED] + [*checks[-1:]]
    return [f"::{one.ended.value} title={_property(one.name)}::{_data(one.text)}" for one in told]


def checks_as_junit(checks: Sequence[Checked], suite: str) -> list[str]:
    """Returns JUnit's XML: a test case for each check."""
    return _suite([_checked(one, suite) for one in checks], suite, [one.ended for one in checks])


def as_junit(problems: Sequence[Problem], suite: str) -> list[str]:
    """Returns JUnit's XML: a test case for each problem, of which errors have failed, and one that has passed
    where there are none.
    """
    cases = [_test_case(problem, suite) for problem in problems]
    if not problems:
        cases = [[f'  <testcase classname={_attribute(suite)} name="every question is answered"/>']]
    return _suite(cases, suite, [Ended.PASSED if one.warning else Ended.FAILED for one in problems])


def _suite(cases: Sequence[list[str]], suite: str, ended: Sequence[Ended]) -> list[str]:
    failed, skipped = ended.count(Ended.FAILED), ended.count(Ended.SKIPPED)
    numbers = f"tests={_attribute(len(cases))} failures={_attribute(failed)}"
    head = f"<testsuite name={_attribute(suite)} {numbers}"
    return [
        '<?xml version="1.0" encoding="UTF-8"?>',
        head + (f" skipped={_attribute(skipped)}>" if skipped else ">"),
        *(line for case in cases for line in case),
        "</testsuite>",
    ]


def _checked(one: Checked, suite: str) -> list[str]:
    first = f"  <testcase classname={_attribute(suite)} name={_attribute(one.name)}"
    text = escape(_printable(one.text))
    brief = one.text.partition("\n")[0]
    match one.ended:
        case Ended.FAILED:
            inner = f"<failure message={_attribute(brief)}>{text}</failure>"
        case Ended.SKIPPED:
            inner = f"<skipped message={_attribute(brief)}/>"
        case Ended.PASSED if one.text:
            inner = f"<system-out>{text}</system-out>"
        case Ended.PASSED:
            return [f"{first}/>"]
    return [f"{first}>", f"    {inner}", "  </testcase>"]


def _test_case(problem: Problem, suite: str) -> list[str]:
    name = f"{problem.code} {problem.object}".strip()
    first = f"  <testcase classname={_attribute(suite)} name={_attribute(name)}>"
    text = escape(_printable(_words(problem)))
    if problem.warning:
        return [first, f"    <system-out>{text}</system-out>", "  </testcase>"]
    message = f"    <failure message={_attribute(problem.message)} type={_attribute(problem.code)}>"
    return [first, f"{message}{text}</failure>", "  </testcase>"]


def _attribute(value: object) -> str:
    return quoteattr(_printable(visible(str(value))))


def _printable(text: str) -> str:
    return _NOT_IN_XML.sub("?", text)
