"""The tour of the manual, step by step in a browser, as its page says it."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

from support import ROOT, MakePair, Pair
from support.chromium import Page, chromium
from support.fences import fences
from support.studio import studio

TOUR = (ROOT / "docs/studio-tour.md").read_text(encoding="utf-8")
_STEP = re.compile(
    r"In \*(?P<place>[^*]+)\*|[Cc]hoose\s+\*\*(?P<choose>[^*]+)\*\*|"
    r"[Tt]ype `(?P<text>[^`]+)` into \*\*(?P<into>[^*]+)\*\*|"
    r"[Pp]ress \*\*(?P<press>[^*]+)\*\*|see\s+\*(?P<see>[^*]+)\*"
)
_IN_PAGE = """(() => {
  const placed = (text) => [...document.querySelectorAll("article, main details")].find((one) => one.textContent.includes(text));
  window.tour = {
    at: document.body,
    in(text) { const found = placed(text); if (found) { found.open = true; this.name = text; } return Boolean(found); },
    get here() { return this.name && placed(this.name) || document.body; },
    choose(text) { for (const select of this.here.querySelectorAll("select")) {
      const option = [...select.options].find((one) => one.textContent.startsWith(text));
      if (option) { select.value = option.value; select.dispatchEvent(new Event("change")); return true; } } return false; },
    type(text, label) { const places = [this.here, document.body];
      for (const place of places) { const found = [...place.querySelectorAll("label")].find((one) => one.textContent.trim().startsWith(label));
        const input = found && found.querySelector("input, textarea");
        if (input) { input.value = text; input.dispatchEvent(new Event("input")); return true; } } return false; },
    press(text) { for (const place of [this.here, document.body]) {
      const found = [...place.querySelectorAll("button")].find((one) => one.textContent === text && !one.disabled);
      if (found) { found.click(); return true; } } return false; },
  };
  return true;
})()"""


def take(page: Page, step: re.Match[str], database: str) -> None:
    """Does what a step says, and waits until it is done."""
    if step["place"]:
        page.until(f"tour.in({json.dumps(step['place'])})")
    elif step["choose"]:
        page.until(f"tour.choose({json.dumps(step['choose'])})")
    elif step["into"]:
        text = database if step["into"] == "Database" else step["text"]
        page.until(f"tour.type({json.dumps(text)}, {json.dumps(step['into'])})")
    elif step["press"]:
        page.until(f"tour.press({json.dumps(step['press'])})")
    else:
        page.until(f"document.body.innerText.includes({json.dumps(step['see'])})")


def test_each_step_of_the_tour(make_pair: MakePair, tmp_path: Path) -> None:
    scripts = {fence.kind: fence.text for fence in fences(TOUR)}
    pair: Pair = asyncio.run(make_pair(scripts["sql old"], scripts["sql new"]))
    pair.config(tmp_path)
    steps = list(_STEP.finditer(TOUR[TOUR.index("1. **Look.**") :]))
    assert len(steps) > 25
    with studio(tmp_path, "config.json", "--allow-live") as running, chromium(tmp_path) as page:
        page.send("Page.navigate", url=running.links["Bob"])
        page.until("document.querySelectorAll('#tables button').length > 0")
        assert page.run(_IN_PAGE)
        for step in steps:
            take(page, step, pair.new.name)
        assert page.errors == []
        decided = [one for one in running.enter("Eve").state["questions"] if one["decided"]]
        assert {one["because"] for one in decided} == {"", "nobody faxes"}
    assert asyncio.run(pair.new.value("SELECT count(*) FROM members WHERE origin = 'paper'")) == 30
