"""Problems in the forms that build servers show: annotations of GitHub, and JUnit's XML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

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


def as_junit(problems: Sequence[Problem], suite: str) -> list[str]:
    """Returns JUnit's XML: a test case for each problem, of which errors have failed, and one that has passed
    where there are none.
    """
    wrong = sum(not problem.warning for problem in problems)
    head = f"<testsuite name={_attribute(suite)} tests={_attribute(max(len(problems), 1))}"
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"{head} failures={_attribute(wrong)}>"]
    for problem in problems:
        lines += _test_case(problem, suite)
    if not problems:
        lines.append(f'  <testcase classname={_attribute(suite)} name="every question is answered"/>')
    return [*lines, "</testsuite>"]


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
