"""A mapping is answered value by value; what a suggestion leaves open is open in its form."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import MakePair
from support.chromium import Page
from support.studio import Running, studio

OLD = """
CREATE TABLE parcels (id int PRIMARY KEY, state text, note text);
INSERT INTO parcels SELECT n, (ARRAY['sent','lost','Sent ','back','?'])[1 + n % 5] FROM generate_series(1, 20) n;
"""
NEW = """
CREATE TYPE state AS ENUM ('sent', 'back', 'lost', 'kept');
CREATE TABLE parcels (id int PRIMARY KEY, state state);
"""
CARD = "[...document.querySelectorAll('article')].find((one) => one.textContent.includes(\"'state'\"))"
ROW = f"[...{CARD}.querySelectorAll('tbody tr')].find((one) => one.textContent.startsWith(\"'?'\"))"


@pytest.fixture
def running(make_pair: MakePair, tmp_path: Path) -> Iterator[Running]:
    """A studio with a question whose suggestion leaves one value open."""
    made = asyncio.run(make_pair(OLD, NEW))
    made.config(tmp_path)
    with studio(tmp_path, "config.json") as started:
        yield started


def entry(folder: Path) -> dict[str, object]:
    """The decision about the state."""
    written = json.loads((folder / "results/manual_resolutions.json").read_text(encoding="utf-8"))
    (found,) = [one for one in written["resolutions"]["parcels"] if one.get("old_column") == "state"]
    assert isinstance(found, dict)
    return found


def change(page: Page, control: str, to: str) -> None:
    """Changes a control as a person does."""
    page.run(f"(() => {{ const it = {control}; {to}; it.dispatchEvent(new Event('change')); }})()")


def test_a_half_finished_mapping_is_filled_in_value_by_value(page: Page, tmp_path: Path) -> None:
    page.until(f"{CARD}?.querySelector('tbody')")
    assert page.run(f"{CARD}.querySelector('select').selectedOptions[0].textContent") == "mapping (transform)"
    shown = page.run(
        f"[...{CARD}.querySelectorAll('tbody tr')].map((row) => [row.cells[0].textContent, row.cells[1].textContent,"
        " row.querySelector('select').value])"
    )
    assert sorted(shown) == [
        ["'?'", "4", ""],
        ["'Sent '", "4", "sent"],
        ["'back'", "4", "back"],
        ["'lost'", "4", "lost"],
        ["'sent'", "4", "sent"],
    ]
    offered = page.run(f"[...{ROW}.querySelectorAll('option')].map((one) => one.textContent)")
    assert offered == ["choose …", "sent", "back", "lost", "kept"]
    assert page.run(f"{CARD}.querySelector('textarea')") is None
    save = f"{CARD}.querySelector('button[type=submit]').click()"
    page.run(save)
    page.until(f"{CARD}.innerText.includes(\"the new value of '?'\")")
    change(page, f"{ROW}.querySelector('select')", "it.value = 'kept'")
    page.run(save)
    page.until("!document.querySelector('#verdict').textContent.startsWith('2 of')")
    assert entry(tmp_path)["value_mapping"] == {
        "sent": "sent",
        "lost": "lost",
        "Sent ": "sent",
        "back": "back",
        "?": "kept",
    }


def test_rows_of_a_value_are_rejected_only_on_demand(page: Page, tmp_path: Path) -> None:
    page.until(f"{CARD}?.querySelector('tbody')")
    change(page, f"{ROW}.querySelector('input[type=checkbox]')", "it.checked = true")
    assert page.run(f"{ROW}.querySelector('select').disabled")
    page.run(f"{CARD}.querySelector('button[type=submit]').click()")
    page.until("!document.querySelector('#verdict').textContent.startsWith('2 of')")
    mapping = entry(tmp_path)["value_mapping"]
    assert isinstance(mapping, dict)
    assert "?" not in mapping and len(mapping) == 4


def test_the_json_box_gives_an_example_of_this_question(page: Page) -> None:
    page.until(f"{CARD}?.querySelector('tbody')")
    change(page, f"{CARD}.querySelector('select')", "it.value = 'fields'")
    label = page.run(f"{CARD}.querySelector('textarea').closest('label').textContent")
    assert '"value_mapping"' in label and "ignore" not in label
