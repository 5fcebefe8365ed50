"""The page is whole, offline, and shows hostile names without obeying them."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from support.build import catalog, table
from tranship.model.catalog import Catalog
from tranship.model.evidence import Evidence
from tranship.planning.comparing.compare import compare
from tranship.planning.deciding.suggest import suggest
from tranship.planning.matching.match import match
from tranship.planning.matching.scope import make_scope
from tranship.report.describe.analysis import describe_analysis
from tranship.report.html import render_html, unbroken

_VOID = {"meta", "link", "br", "img"}


class Elements(HTMLParser):
    """Every element by name, and whether all that were opened are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page(old: Catalog, new: Catalog) -> tuple[str, Elements]:
    scope, _ = make_scope(old, new, None)
    comparison, suggestions = compare(old, new, match(old, new, scope)), suggest(old, new, scope, Evidence())
    text = render_html(describe_analysis(comparison, (old, new), suggestions))
    found = Elements()
    found.feed(text)
    assert not found.open
    return text, found


def test_columns_are_joined_by_lines_of_their_class() -> None:
    old = catalog(table("users", "id int!", "user_name text", "legacy bytea", "same date"))
    new = catalog(table("users", "id bigint!", "username text", "same date", "fresh json"))
    text, found = page(old, new)
    assert text.startswith("<!DOCTYPE html>")
    assert sorted(attrs["class"] or "" for tag, attrs in found.seen if tag == "path") == [
        "changed",
        "changed",
        "plain",
    ]
    assert any(
        tag == "li" and attrs.get("class") == "bad" and "legacy" in (attrs.get("title") or "")
        for tag, attrs in found.seen
    )
    assert "Total Changes" in found.text
    assert "Column 'legacy' only exists in old DB" in found.text


def test_nothing_is_fetched() -> None:
    text, found = page(catalog(table("t", "id int")), catalog(table("t", "id bigint")))
    assert not re.search(r"https?:|//|@import|url\(", text)
    assert not {tag for tag, _ in found.seen} & {"script", "link", "img", "iframe", "object", "form"}
    assert not any(key in attrs for _, attrs in found.seen for key in ("src", "onclick", "style"))
    # Links lead to places of this page alone.
    ids = {attrs.get("id") for _, attrs in found.seen}
    for _, attrs in found.seen:
        assert (attrs.get("href") or "#")[0] == "#"
        assert "href" not in attrs or (attrs["href"] or "")[1:] in ids


def test_what_needs_a_person_comes_first() -> None:
    old = catalog(table("a", "id int"), table("b", "id int", "gone text"))
    new = catalog(table("a", "id bigint", "more text"), table("b", "id int"))
    text, found = page(old, new)
    parts = [attrs for tag, attrs in found.seen if tag == "details"]
    assert ["open" in attrs for attrs in parts] == [True, False, False, True, False]
    order = ['class="card verdict bad"', "BREAKING CHANGES", "TRANSFORMABLE CHANGES", "SAFE CHANGES"]
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)
    assert text.index("<h3>public.b</h3></summary>") < text.index("<h3>public.a</h3></summary>")


def test_hostile_names_are_shown_and_not_obeyed() -> None:
    evil = "<script>alert(1)</script>\"' onload=x \u202e{{ 7*7 }}"
    text, found = page(catalog(table(evil, f"{evil} int")), catalog(table(evil, "other bytea")))
    assert "<script" not in text
    assert "\u202e" not in text
    assert "<script>alert(1)</script>" in found.text
    assert "{{ 7*7 }}" in found.text


def test_many_drawings_are_folded_together_and_each_has_its_link() -> None:
    names = [f"t{number:03}" for number in range(120)]
    old = catalog(*(table(name, "id int", "gone text") for name in names))
    text, found = page(old, catalog(*(table(name, "id int") for name in names)))
    links = {attrs["href"] for tag, attrs in found.seen if tag == "a"}
    assert {f"#t{number}" for number in range(1, 121)} <= links
    assert text.index("100 more tables") < text.index("More tables side by side")
    opened = [attrs for tag, attrs in found.seen if tag == "details" and "open" in attrs]
    assert len(opened) == 21, "the questions, and the first drawings"


def test_the_page_says_its_verdict_once_and_counts_as_its_totals_do() -> None:
    columns = [f"c{number:02}" for number in range(30)]
    old = catalog(table("t", "id int!", *(f"{name} varchar(9)" for name in columns), "gone text"))
    text, found = page(old, catalog(table("t", "id int!", *(f"{name} text" for name in columns))))
    assert found.text.count("1 question needs an answer before anything can be moved.") == 1
    assert "the same for 29 more columns" in found.text
    assert "TRANSFORMABLE CHANGES (Can be converted automatically)</a> 30</li>" in text
    assert "TRANSFORMABLE CHANGES (Can be converted automatically) <small>30</small>" in text


def test_no_line_ends_within_an_option() -> None:
    assert unbroken("migrate x.json --live --rejects-only: <b>") == (
        'migrate x.json <span class="whole">--live</span> <span class="whole">--rejects-only</span>: &lt;b&gt;'
    )
    assert unbroken("a--b -- c ---- d--") == "a--b -- c ---- d--"


def test_no_line_ends_within_a_number() -> None:
    assert unbroken("1 287 122 rows, 19 702 rejected.") == (
        '<span class="whole">1 287 122</span> rows, <span class="whole">19 702</span> rejected.'
    )
    for plain in ("702 rows", "2026-12-01 18:29:56", "14 5 of 1.5 500x", "a1 000"):
        assert unbroken(plain) == plain
