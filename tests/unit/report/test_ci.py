"""Problems as build servers want them: whole whatever the texts hold."""

from __future__ import annotations

from xml.etree import ElementTree

from tranship.model.resolution import Problem
from tranship.report.ci import Checked, Ended, as_github, as_junit, checks_as_github, checks_as_junit

ODD = "50 % of \"<a>\" & 'b',\nc: \x01"
PROBLEMS = (
    Problem(code="TS302", object="$.resolutions.users[0] (users.a), line 7", message=ODD, hint="decide"),
    Problem(code="TS310", object="", message="careful", hint="", warning=True),
)


def test_annotations() -> None:
    assert as_github(PROBLEMS, "results/a,b.json") == [
        "::error file=results/a%2Cb.json,line=7,title=TS302::$.resolutions.users[0] (users.a), line 7: "
        "50 %25 of \"<a>\" & 'b',%0Ac: \x01%0Adecide",
        "::warning file=results/a%2Cb.json,title=TS310::careful",
    ]
    assert as_github((), "a.json") == []


def test_junit() -> None:
    suite = ElementTree.fromstring("\n".join(as_junit(PROBLEMS, "a.json")))
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("a.json", "2", "1")
    failed, warned = suite.findall("testcase")
    failure = failed.find("failure")
    assert failure is not None
    assert failure.get("type") == "TS302"
    assert "50 % of \"<a>\" & 'b',\nc: ?\ndecide" in (failure.text or "")
    assert warned.find("failure") is None
    assert warned.findtext("system-out") == "careful"


def test_junit_without_problems() -> None:
    suite = ElementTree.fromstring("\n".join(as_junit((), "a.json")))
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")
    assert len(suite.findall("testcase")) == 1


CHECKS = (
    Checked("a -> b", Ended.PASSED),
    Checked("c, d", Ended.FAILED, 'DIFFERS: "x" < 1 %\nid=1: \x01'),
    Checked("e", Ended.SKIPPED, "not verified: no sums"),
    Checked("verdict", Ended.PASSED, "fine"),
)


def test_checks_as_annotations() -> None:
    """What has passed is not told, but for the verdict."""
    assert checks_as_github(CHECKS) == [
        '::error title=c%2C d::DIFFERS: "x" < 1 %25%0Aid=1: \x01',
        "::warning title=e::not verified: no sums",
        "::notice title=verdict::fine",
    ]


def test_checks_as_junit() -> None:
    suite = ElementTree.fromstring("\n".join(checks_as_junit(CHECKS, "s")))
    numbers = (suite.get("tests"), suite.get("failures"), suite.get("skipped"))
    assert numbers == ("4", "1", "1")
    passed, failed, skipped, verdict = suite.findall("testcase")
    assert list(passed) == [] and passed.get("name") == "a -> b"
    failure, left = failed.find("failure"), skipped.find("skipped")
    assert failure is not None and failure.get("message") == 'DIFFERS: "x" < 1 %'
    assert failure.text == 'DIFFERS: "x" < 1 %\nid=1: ?'
    assert left is not None and left.get("message") == "not verified: no sums"
    assert verdict.findtext("system-out") == "fine"
