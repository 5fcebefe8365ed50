"""Whole suggestions in the studio: offered with their evidence, tried, accepted and taken back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import MakePair
from support.chromium import Page
from support.contrast import TOO_FAINT
from support.studio import Reply, Running, Visitor, studio

pytest.importorskip("starlette", reason="the extra 'studio' is not installed")
pytest.importorskip("uvicorn", reason="the extra 'studio' is not installed")

MARKUP = "m<img src=x onerror=alert(1)>"
OLD = f"""
CREATE TABLE "{MARKUP}" (id int PRIMARY KEY, login text, bio text, born date);
INSERT INTO "{MARKUP}" SELECT n, 'l' || n, '<script>alert(1)</script>', '1815-12-10' FROM generate_series(1, 30) n;
CREATE TABLE post (id int PRIMARY KEY, deleted_at timestamp);
INSERT INTO post SELECT n, CASE n % 2 WHEN 0 THEN timestamp '2024-01-01' END FROM generate_series(1, 30) n;
"""
NEW = f"""
CREATE TABLE "{MARKUP}" (id int PRIMARY KEY, login text);
CREATE TABLE profile (owner_id int PRIMARY KEY REFERENCES "{MARKUP}", bio text, born date);
CREATE TABLE post (id int PRIMARY KEY);
"""
RESOLUTIONS = "results/manual_resolutions.json"


@pytest.fixture
def running(make_pair: MakePair, tmp_path: Path) -> Iterator[Running]:
    """A studio about a table that is split and one with rows that are marked as deleted."""
    asyncio.run(make_pair(OLD, NEW)).config(tmp_path)
    with studio(tmp_path, "config.json") as made:
        yield made


def suggested(visitor: Visitor, table: str) -> Any:
    """The suggestion of a table."""
    (found,) = [one for one in visitor.state["suggestions"] if one["table"] == table]
    return found


def send(visitor: Visitor, table: str, do: str, **more: str) -> Reply:
    """What the page sends."""
    given = {"place": suggested(visitor, table)["place"], "do": do, "version": visitor.state["version"]}
    return visitor.write("/api/suggestion", {**given, **more})


def test_a_suggestion_is_tried_accepted_and_taken_back(running: Running, tmp_path: Path) -> None:
    ann, path = running.enter("Ann"), tmp_path / RESOLUTIONS
    before = path.read_text(encoding="utf-8")
    shown = suggested(ann, "post")
    assert shown["text"] == "Do only rows move that 'deleted_at' of 'post' does not mark?"
    assert any("15 of 30 rows are marked" in fact for fact in shown["evidence"])
    assert (shown["taken"], shown["undoable"], shown["complete"]) == ("", False, True)
    (table,) = send(ann, "post", "try").json["tables"]
    ids = [row["before"][table["old_columns"].index("id")]["text"] for row in table["rows"]]
    assert ids == ["1", "3", "5", "7", "9", "11", "13", "15", "17", "19"]
    (split,) = send(ann, MARKUP, "try").json["tables"]
    assert (split["new_table"], len(split["rows"])) == ("public.profile", 10)
    assert path.read_text(encoding="utf-8") == before, "nothing is accepted by itself"
    commented = before.replace('"resolutions": {\n    "', '"resolutions": {  // of the team\n    "')
    path.write_text(commented, encoding="utf-8")
    for name in (MARKUP, "post"):
        reply = send(ann, name, "accept")
        assert reply.status == 200, reply
        assert suggested(ann, name)["taken"].startswith("Ann, ")
    assert [one for one in ann.state["questions"] if one["open"]] == []
    assert [one for one in ann.state["problems"] if not one["warning"]] == []
    assert "// of the team" in path.read_text(encoding="utf-8")
    eve = running.enter("Eve")
    for name in ("post", MARKUP):
        assert send(eve, name, "undo").status == 200
    assert path.read_text(encoding="utf-8") == commented, "as if nobody had accepted any"


def test_a_suggestion_is_read_by_both_servers_before_it_is_accepted(running: Running, tmp_path: Path) -> None:
    ann, path = running.enter("Ann"), tmp_path / RESOLUTIONS
    # As if the column had been dropped since the suggestion was made.
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("old.deleted_at IS NULL", "old.removed_at IS NULL"), encoding="utf-8")
    before = path.read_bytes()
    assert send(ann, "post", "check").json == {"problems": [], "unread": True}
    refused = send(ann, "post", "accept")
    assert refused.status == 422 and refused.json["by_servers"], refused
    assert "removed_at" in refused.json["problems"][0]["message"]
    assert path.read_bytes() == before
    anyway = {"place": suggested(ann, "post")["place"], "do": "accept", "anyway": True}
    assert ann.write("/api/suggestion", {**anyway, "version": ann.state["version"]}).status == 200
    assert suggested(ann, "post")["taken"].startswith("Ann, ")


def test_entries_are_changed_before_they_are_accepted_and_checked(running: Running, tmp_path: Path) -> None:
    ann, path = running.enter("Ann"), tmp_path / RESOLUTIONS
    before = path.read_bytes()
    entries = json.loads(suggested(ann, "post")["entries"])
    (kept,) = [entry for entry in entries["post"] if entry["action"] == "filter"]
    for field, value, said in (
        ("where", "old.deleted_at > now()", "TS339"),
        ("where", "old.nothing IS NULL", "TS3"),
        ("children", "leave", "TS3"),
    ):
        wrong = json.dumps({"post": [{**kept, field: value}]})
        reply = send(ann, "post", "try", entries=wrong)
        assert (reply.status, reply.json["problems"][0]["code"][: len(said)]) == (422, said), reply
    misspelt = json.dumps({"post": [{**kept, "action": "fliter"}]})
    assert (
        "did you mean 'filter'?" in send(ann, "post", "check", entries=misspelt).json["problems"][0]["hint"]
    )
    left_open = json.dumps(
        {"post": [{"action": "default", "new_column": "id", "default_value": "SPECIFY_DEFAULT_VALUE"}]}
    )
    for text in (misspelt, left_open):
        assert send(ann, "post", "accept", entries=text).status == 422, text
    for text in (
        "{",
        "[]",
        '{"post": 1}',
        '{"post": [1]}',
        '{"_post": []}',
        '{"other": [{"action": "ignore"}]}',
    ):
        assert send(ann, "post", "accept", entries=text).status in (400, 422), text
    assert ann.write("/api/suggestion", {"place": "$", "do": "drop"}).status == 400
    assert path.read_bytes() == before
    entries["post"][entries["post"].index(kept)] = {
        **kept,
        "where": "old.id > 20",
        "because": "the old ones stay",
    }
    checked = send(ann, "post", "check", entries=json.dumps(entries)).json
    assert checked == {"problems": [], "unread": True}
    assert send(ann, "post", "accept", entries=json.dumps(entries)).status == 200
    assert suggested(ann, "post")["undoable"]
    assert '"where": "old.id > 20"' in path.read_text(encoding="utf-8")


def test_what_another_person_saved_is_not_lost(running: Running, tmp_path: Path) -> None:
    ann, eve = running.enter("Ann"), running.enter("Eve")
    seen = ann.state["version"]
    assert send(eve, "post", "accept").status == 200
    before = (tmp_path / RESOLUTIONS).read_bytes()
    for do in ("accept", "undo"):
        refused = send(ann, MARKUP, do, version=seen)
        assert refused.status == 409 and "by Eve" in refused.json["problems"][0]["message"], refused
    place = suggested(ann, "post")["place"].replace("[", "[1")
    gone = {"place": place, "do": "accept", "version": ann.state["version"]}
    assert ann.write("/api/suggestion", gone).status == 409
    for changed in ({"Origin": "http://evil.example"}, {"X_CSRF_Token": None}, {"Cookie": None}):
        given = {"place": suggested(ann, MARKUP)["place"], "do": "accept", "version": ann.state["version"]}
        assert ann.write("/api/suggestion", given, **changed).status in (401, 403)
    assert (tmp_path / RESOLUTIONS).read_bytes() == before


def test_a_suggestion_is_accepted_by_keyboard_alone(page: Page, running: Running, tmp_path: Path) -> None:
    page.tab_to("it.textContent.startsWith('m<img')")
    assert page.run("document.activeElement.textContent").endswith("(2 of 2 open, 1 suggestion)")
    page.press("Enter")
    page.tab_to("it.textContent === 'Try it on ten rows' && it.closest('.suggested')")
    page.press("Enter")
    page.until("document.querySelectorAll('.suggested tbody tr').length === 10")
    assert "<script>alert(1)</script>" in page.run("document.querySelector('.suggested table').textContent")
    assert page.run("document.querySelectorAll('main img, main script').length") == 0
    for scheme in ("light", "dark"):
        page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        page.send(
            "Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1, mobile=False
        )
        page.run("document.querySelectorAll('.suggested details').forEach((one) => { one.open = true; })")
        assert page.run("document.documentElement.scrollWidth") <= 400
        assert page.run(TOO_FAINT) == []
    page.run("document.querySelector('.suggested h3').closest('article').querySelector('textarea').blur()")
    page.tab_to("it.textContent === 'Accept this suggestion'")
    page.press("Enter")
    page.until("document.querySelector('#verdict').textContent.startsWith('1 of')")
    page.run(
        "document.querySelector('#filter').value = 'all', document.querySelector('#filter').dispatchEvent(new Event('change'))"
    )
    page.tab_to("it.textContent.startsWith('m<img') && it.textContent.endsWith('(0 of 2 open)')")
    page.press("Enter")
    assert page.run("document.querySelector('article.answered .right').textContent").startswith(
        "accepted: Ann, "
    )
    page.tab_to("it.textContent === 'Undo: take it back'")
    page.press("Enter")
    page.until("document.querySelector('#verdict').textContent.startsWith('3 of')")
    assert suggested(running.enter("Eve"), MARKUP)["taken"] == ""
