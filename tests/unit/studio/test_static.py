"""The files of the page keep what the policy of every response promises."""

from __future__ import annotations

import re
from importlib import resources

import pytest

FILES = (
    "page.html",
    "studio.js",
    "answers.js",
    "mappings.js",
    "runs.js",
    "suggestions.js",
    "tries.js",
    "studio.css",
    "icon.svg",
)


def _text(name: str) -> str:
    return resources.files("tranship.studio").joinpath("static", name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_loaded_from_elsewhere(name: str) -> None:
    addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*", _text(name)))
    assert addresses <= {"http://www.w3.org/2000/svg"}, "the name of a namespace is never loaded"


def test_texts_are_never_read_as_markup() -> None:
    script = (
        _text("studio.js")
        + _text("answers.js")
        + _text("mappings.js")
        + _text("suggestions.js")
        + _text("tries.js")
        + _text("runs.js")
    )
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert way not in script
    page = _text("page.html")
    assert "style=" not in page and not re.search(r"\son\w+=", page) and "<style" not in page


def test_each_file_is_one_that_a_person_can_read() -> None:
    for name in FILES:
        assert len(_text(name).splitlines()) <= 400
