"""What is saved was read by the servers, or a person was told that they refuse it; an empty name is no answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import Pair
from support.chromium import Page
from support.studio import Running, studio

UNKNOWN = {"action": "transform", "transform_sql": "split_part(old.statee, '@', 1)"}
_CARD = "[...document.querySelectorAll('article')].find((one) => one.textContent.includes(\"'{}'\"))"
_CHOOSE = """
(() => {{
  const card = {card}, select = card.querySelector('select');
  select.value = [...select.options].find((option) => option.textContent.startsWith({name})).value;
  select.dispatchEvent(new Event('change'));
  for (const [at, text] of {typed}.entries()) {{
    const field = [...card.querySelectorAll('form label input, form label textarea')][at];
    field.value = text;
    field.dispatchEvent(new Event('input'));
  }}
}})()
"""


@pytest.fixture
def running(hostile: Pair, tmp_path: Path) -> Iterator[Running]:
    """A studio."""
    with studio(tmp_path, "config.json") as made:
        yield made


def choose(page: Page, about: str, name: str, *typed: str) -> str:
    """Chooses an answer on the page and types its fields; returns the card as an expression of the page."""
    page.run(
        "[...document.querySelectorAll('#tables button')].find((one) => one.textContent.startsWith('users')).click()"
    )
    card = _CARD.format(about)
    page.run(_CHOOSE.format(card=card, name=json.dumps(name), typed=json.dumps(typed)))
    return card


def press(page: Page, card: str, name: str) -> None:
    """Presses a button of a card."""
    page.run(f"[...{card}.querySelectorAll('button')].find((one) => one.textContent === '{name}').click()")


def test_what_a_server_refuses_is_saved_only_on_demand(running: Running) -> None:
    ann = running.enter("Ann")
    assert ann.write("/api/check", ann.given("state", UNKNOWN)).json == {"problems": [], "unread": True}
    refused = ann.write("/api/answer", ann.given("state", UNKNOWN))
    assert refused.status == 422 and refused.json["by_servers"]
    assert "statee" in refused.json["problems"][0]["message"]
    assert ann.question("state")["open"]
    given = {**ann.given("state", UNKNOWN), "anyway": True}
    assert ann.write("/api/answer", given).status == 200
    assert not ann.question("state")["open"]


def test_what_is_wrong_by_itself_cannot_be_saved(running: Running) -> None:
    ann = running.enter("Ann")
    for fields in ({"action": "transfrm", "transform_sql": "old.statee"}, {**UNKNOWN, "new_column": ""}):
        refused = ann.write("/api/answer", {**ann.given("state", fields), "anyway": True})
        assert refused.status == 422 and not refused.json["by_servers"]
        again = ann.write("/api/answer", ann.given("state", fields))
        assert again.json == refused.json
    assert ann.question("state")["open"]


def suggest(folder: Path, about: str, fields: dict[str, object]) -> None:
    """Puts another suggestion beside the question about a column, as the data of last week made it."""
    path = folder / "results/manual_resolutions.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    (entry,) = [one for one in document["resolutions"]["users"] if one.get("old_column") == about]
    entry["_suggestion"] = {"confidence": "high", **fields}
    path.write_text(json.dumps(document), encoding="utf-8")


def test_a_suggestion_is_read_before_it_is_saved(running: Running, tmp_path: Path) -> None:
    suggest(tmp_path, "state", {"old_column": "state", "new_column": "state", **UNKNOWN})
    ann = running.enter("Ann")
    state, question = ann.state, ann.question("state")
    fields = {"fields": question["suggestion_text"], "how": "suggestion"}
    given = {**ann.given("state", {}), **fields}
    assert ann.write("/api/check", given).json == {"problems": [], "unread": True}
    several = {"places": [question["place"]], "version": state["version"]}
    for path, body in (("/api/answer", given), ("/api/accept", several)):
        refused = ann.write(path, body)
        assert refused.status == 422 and refused.json["by_servers"], path
        assert "statee" in refused.json["problems"][0]["message"]
        assert ann.question("state")["open"]
    assert ann.write("/api/accept", {**several, "anyway": True}).status == 200
    assert not ann.question("state")["open"]


def test_suggestions_accepted_together_are_refused_where_they_stand(
    page: Page, running: Running, tmp_path: Path
) -> None:
    suggest(tmp_path, "state", {"old_column": "state", "new_column": "state", **UNKNOWN})
    suggest(tmp_path, "fax", {"old_column": "fax", "action": "ignore"})
    page.send("Page.reload")
    page.until("document.querySelector('#bulkaccept').textContent === 'Accept all 2'")
    page.run("document.querySelector('#bulk').open = true, document.querySelector('#bulkaccept').click()")
    page.until("document.querySelector('#bulk').innerText.includes('Nothing was saved.')")
    told = page.run("document.querySelector('#bulk .wrong').textContent")
    assert "statee" in told and "users.state" in told
    page.run(
        "[...document.querySelectorAll('#bulk button')].find((one) => one.textContent === 'Save it all the same').click()"
    )
    page.until("document.querySelector('#bulk').hidden")
    eve = running.enter("Eve")
    assert not eve.question("state")["open"] and not eve.question("fax")["open"]


def test_what_no_server_has_to_read_is_saved_at_once(running: Running) -> None:
    ann = running.enter("Ann")
    ignored = ann.given("fax", {"action": "ignore"})
    assert ann.write("/api/check", ignored).json == {"problems": [], "unread": False}
    assert ann.write("/api/answer", ignored).status == 200


def test_one_more_decision_is_read_before_it_is_saved(running: Running) -> None:
    ann = running.enter("Ann")
    state = ann.state
    fields = json.dumps({"action": "filter", "where": "old.faxx IS NULL"})
    given = {"key": "users", "fields": fields, "how": "choice", "version": state["version"]}
    refused = ann.write("/api/answer", given)
    assert refused.status == 422 and refused.json["by_servers"]
    assert ann.write("/api/answer", {**given, "anyway": True}).status == 200


def test_the_page_says_what_was_read_and_asks_before_it_saves(page: Page, running: Running) -> None:
    card = choose(page, "state", "expression", UNKNOWN["transform_sql"])
    page.until(f"{card}.innerText.includes('Both servers check it')")
    assert page.run(f"{card}.querySelector('.right')") is None
    press(page, card, "Save this answer")
    page.until(f"{card}.innerText.includes('Nothing was saved.')")
    assert "statee" in page.run(f"{card}.querySelector('.wrong').textContent")
    press(page, card, "Save it all the same")
    page.until(f"!({card})")
    assert not running.enter("Eve").question("state")["open"]


def test_an_expression_that_was_tried_is_said_to_be_read(page: Page) -> None:
    card = choose(page, "state", "expression", "'on'")
    page.until(f"{card}.innerText.includes('Both servers check it')")
    press(page, card, "Try it on ten rows")
    page.until(f"{card}.querySelector('tbody tr')")
    assert "Both servers have read this answer" in page.run(f"{card}.querySelector('.right').textContent")


def test_empty_fields_are_no_answer(page: Page, running: Running) -> None:
    card = choose(page, "fax", "mapping")
    press(page, card, "Save this answer")
    page.until(f"{card}.querySelectorAll('.wrong').length === 2")
    told = page.run(f"[...{card}.querySelectorAll('.wrong')].map((one) => one.textContent)")
    assert told[0] == "Fill in new_column: the new column that it fills."
    assert told[1].startswith("Fill in value_mapping: old value to new value")
    eve = running.enter("Eve")
    assert eve.question("fax")["open"]
    emptied = {"action": "transform", "old_column": "fax", "new_column": "", "value_mapping": None}
    refused = eve.write("/api/answer", eve.given("fax", emptied))
    assert refused.status == 422
    (problem,) = refused.json["problems"]
    assert problem["message"].startswith("'new_column' is empty")


def test_a_column_that_a_query_does_not_give_is_named_before_it_is_saved(running: Running) -> None:
    ann = running.enter("Ann")
    key = "counted -> users"
    select = {
        "action": "query",
        "key": ["id"],
        "sql": "SELECT u.id, 'x'::text AS state FROM public.users AS u",
    }

    def added(fields: dict[str, object]) -> dict[str, object]:
        given = {"key": key, "fields": json.dumps(fields), "how": "choice", "version": ann.state["version"]}
        assert ann.write("/api/check", given).json == {"problems": [], "unread": True}
        return given

    assert ann.write("/api/answer", {**added(select), "anyway": True}).status == 200
    wrong = {"action": "transform", "old_column": "statee", "new_column": "state"}
    refused = ann.write("/api/answer", added(wrong))
    assert refused.status == 422 and refused.json["by_servers"], refused
    assert any("statee" in one["message"] for one in refused.json["problems"]), refused.json
