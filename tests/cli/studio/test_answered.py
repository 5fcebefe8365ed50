"""An answered question shows the answer that stands in the file, and saving that changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import Pair
from support.chromium import Page
from support.studio import Running, studio

RESOLUTIONS = "results/manual_resolutions.json"
SQL = "CASE old.state WHEN 'gone' THEN 'off' ELSE old.state END"
ANSWERS = {
    "state": {"action": "transform", "transform_sql": SQL},
    "fax": {
        "action": "transform",
        "new_column": "origin",
        "value_mapping": {"a": "2000-01-01"},
        "null_value": "2000-01-02",
    },
    "s<b>cratch": {"action": "drop_table"},
}
CARD = "[...document.querySelectorAll('article')].find((one) => one.textContent.includes(\"'{}'\"))"
SHOW = """
(() => {{
  const filter = document.querySelector('#filter');
  filter.value = 'all';
  filter.dispatchEvent(new Event('change'));
  [...document.querySelectorAll('#tables button')].find((one) => one.textContent.startsWith({table})).click();
}})()
"""


@pytest.fixture
def running(hostile: Pair, tmp_path: Path) -> Iterator[Running]:
    """A studio whose questions Eve has answered."""
    with studio(tmp_path, "config.json") as made:
        eve = made.enter("Eve")
        for about, fields in ANSWERS.items():
            given = eve.given(about, fields, because="as agreed", how="expression")
            reply = eve.write("/api/answer", {**given, "anyway": True})
            assert reply.status == 200, reply
        made.links = {name: link for name, link in made.links.items() if name != "Eve"}
        yield made


def show(page: Page, table: str) -> None:
    """Shows all questions of a table."""
    page.run(SHOW.format(table=json.dumps(table)))


def save(page: Page, card: str) -> None:
    """Saves the answer of a card."""
    page.run(f"{card}.querySelector('form button[type=submit]').click()")


def test_the_answer_in_the_file_is_what_is_chosen(page: Page, tmp_path: Path) -> None:
    before = (tmp_path / RESOLUTIONS).read_bytes()
    show(page, "users")
    chosen = "{}.querySelector('select').selectedOptions[0].textContent"
    state, fax = CARD.format("state"), CARD.format("fax")
    page.until(state)
    assert page.run(chosen.format(state)) == "expression (transform)"
    assert page.run(f"{state}.querySelector('textarea').value") == SQL
    assert page.run(f"[...{state}.querySelectorAll('input')].at(-1).value") == "as agreed"
    offered = page.run(f"[...{state}.querySelectorAll('option')].map((one) => one.textContent)")
    assert not any(one.startswith("accept") for one in offered)
    # No choice has all its fields: it is shown as it stands.
    assert page.run(chosen.format(fax)) == "this answer, as JSON"
    assert json.loads(page.run(f"{fax}.querySelector('textarea').value")) == {
        "old_column": "fax",
        **ANSWERS["fax"],
    }
    for card in (state, fax):
        save(page, card)
        page.until(f"{card}.innerText.includes('nothing was changed')")
    show(page, "s<b>cratch")
    scratch = CARD.format("s<b>cratch")
    assert page.run(chosen.format(scratch)) == "leave out (drop_table)"
    save(page, scratch)
    page.until(f"{scratch}.innerText.includes('nothing was changed')")
    assert (tmp_path / RESOLUTIONS).read_bytes() == before


def test_a_changed_answer_is_saved_and_the_focus_goes_on_to_the_next(page: Page, tmp_path: Path) -> None:
    show(page, "users")
    state = CARD.format("state")
    page.run(
        f"(() => {{ const field = {state}.querySelector('textarea'); field.value = \"'on'\"; field.dispatchEvent(new Event('input')); }})()"
    )
    places = page.run("[...document.querySelectorAll('article')].map((one) => one.dataset.place)")
    at = page.run(f"[...document.querySelectorAll('article')].indexOf({state})")
    save(page, state)
    page.until(f"{state}.innerText.includes('Ann, ')")
    assert page.run(f"{state}.querySelector('textarea').value") == "'on'"
    focused = page.run("document.activeElement.closest('article').dataset.place")
    assert focused == places[at + 1]
    written = json.loads((tmp_path / RESOLUTIONS).read_text(encoding="utf-8"))
    (entry,) = [one for one in written["resolutions"]["users"] if one.get("old_column") == "state"]
    assert entry["transform_sql"] == "'on'" and entry["_decided"]["by"] == "Ann"
    assert entry["because"] == "as agreed"


def test_only_what_changes_is_signed_anew(running: Running, tmp_path: Path) -> None:
    ann = running.enter("Ann")
    before = (tmp_path / RESOLUTIONS).read_bytes()
    same = ann.given("state", ANSWERS["state"], because="as agreed")
    assert ann.write("/api/answer", same).json["version"] == ann.state["version"]
    assert (tmp_path / RESOLUTIONS).read_bytes() == before
    # A reason is part of what is decided.
    assert ann.write("/api/answer", {**same, "because": "the team said so"}).status == 200
    assert ann.question("state")["decided"].startswith("Ann, ")


def test_a_try_shows_what_goes_wrong_first_and_says_where_it_looked(page: Page) -> None:
    show(page, "users")
    state = CARD.format("state")
    page.run(
        f"(() => {{ const field = {state}.querySelector('textarea'); field.value = \"CASE old.id WHEN 30 THEN 'weird' ELSE 'on' END\"; field.dispatchEvent(new Event('input')); }})()"
    )
    page.run(
        f"[...{state}.querySelectorAll('button')].find((one) => one.textContent === 'Try it on ten rows').click()"
    )
    page.until(f"{state}.querySelectorAll('tbody tr').length === 10")
    assert "Every row was looked at: 1 has a value for 'state' that is refused. It stands first." in page.run(
        f"{state}.innerText"
    )
    assert page.run(f"{state}.querySelector('tbody tr').innerText.includes('weird')")
    assert page.run(f"{state}.querySelectorAll('td.refused').length") == 1


def test_a_value_that_is_taken_is_not_said_to_mean_the_same(page: Page) -> None:
    show(page, "users")
    state = CARD.format("state")
    page.run(
        f"(() => {{ const field = {state}.querySelector('textarea'); field.value = \"'on'\"; field.dispatchEvent(new Event('input')); }})()"
    )
    page.run(
        f"[...{state}.querySelectorAll('button')].find((one) => one.textContent === 'Try it on ten rows').click()"
    )
    page.until(f"{state}.querySelectorAll('tbody tr').length === 10")
    said = page.run(f"{state}.innerText")
    assert "none has a value for 'state' that is refused." in said
    assert "That a value is taken does not say that it means the same" in said


def test_nothing_is_offered_for_all_where_one_question_asks(page: Page) -> None:
    """Not even hidden: what reads the page aloud, or searches it, finds what is there."""
    show(page, "users")
    assert page.run("document.querySelectorAll('article').length") > 1
    assert "Save for all 1 " not in page.run("document.querySelector('main').textContent")
