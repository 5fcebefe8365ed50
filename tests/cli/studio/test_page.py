"""The page in a browser: keyboard alone, a narrow screen, dark colours, names that try to be markup."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import Pair
from support.chromium import Page
from support.contrast import TOO_FAINT
from support.studio import Running, studio

BROKEN_WORDS = """[...document.querySelectorAll("td")].filter((cell) => {
  const drawn = document.createRange();
  drawn.selectNodeContents(cell);
  const lines = new Set([...drawn.getClientRects()].map((one) => Math.round(one.bottom)));
  return /^[^ ]{1,20}$/.test(cell.textContent) && lines.size > 1;
}).map((cell) => cell.textContent)"""
"""The short values of a table that stand on several lines: nobody can read a letter a line."""

SIDEWAYS = """[...document.querySelectorAll(".scroll")].filter((box) => box.scrollWidth > box.clientWidth)
  .map((box) => box.getAttribute("aria-label"))"""
"""The tables of which a part is out of sight."""


@pytest.fixture
def running(hostile: Pair, tmp_path: Path) -> Iterator[Running]:
    """A studio."""
    with studio(tmp_path, "config.json") as made:
        yield made


def test_a_question_is_answered_by_keyboard_alone(page: Page, running: Running) -> None:
    page.tab_to("it.textContent.startsWith('users (')")
    page.press("Enter")
    page.until("document.activeElement.textContent.startsWith('users (')")
    page.tab_to("it.tagName === 'SELECT' && it.closest('article')")
    while not page.run("document.activeElement.selectedOptions[0].textContent.startsWith('expression')"):
        page.press("ArrowUp")
    page.tab_to("it.tagName === 'TEXTAREA'")
    page.type("CASE old.state WHEN 'on' THEN 'on' ELSE 'weird' END")
    page.until(
        "document.querySelector('article .dim[class]') && document.querySelector('article').innerText.includes('Both servers check it')"
    )
    assert page.run("document.querySelector('article .right')") is None
    page.tab_to("it.textContent === 'Try it on ten rows'")
    page.press("Enter")
    page.until("document.querySelectorAll('article tbody tr').length === 10")
    assert "refused: invalid input value" in page.run("document.querySelector('article table').textContent")
    assert page.run("document.querySelectorAll('td.refused').length") > 0
    assert page.run("document.querySelectorAll('td.note').length") == 0
    page.send("Page.reload")
    page.until("document.querySelectorAll('#tables button').length > 0")
    page.tab_to("it.textContent.startsWith('s<b>cratch (')")
    page.press("Enter")
    page.tab_to("it.textContent === 'Save this answer'")
    page.press("Enter")
    page.until("!document.querySelector('#verdict').textContent.startsWith('4 of')")
    decided = [question for question in running.enter("Eve").state["questions"] if question["decided"]]
    assert [(one["table"], one["answer"]) for one in decided] == [("s<b>cratch", "drop_table")]


_SAVE_AND_TRY = """
(() => {
  const card = (name) => [...document.querySelectorAll('article')].find((one) => one.textContent.includes(`'${name}'`));
  const choose = (one, word) => {
    const select = one.querySelector('select');
    select.value = [...select.options].find((option) => option.textContent.includes(word)).value;
    select.dispatchEvent(new Event('change'));
  };
  choose(card('fax'), '(ignore)');
  choose(card('state'), 'JSON');
  const fields = card('state').querySelector('textarea');
  fields.value = '{"action": "transform", "transform_sql": "\\'on\\'"}';
  fields.dispatchEvent(new Event('input'));
  card('fax').querySelector('button[type=submit]').click();
  [...card('state').querySelectorAll('button')].find((one) => one.textContent === 'Try it on ten rows').click();
})()
"""


def test_rows_that_are_tried_while_an_answer_is_saved_are_shown(page: Page, running: Running) -> None:
    """The save draws the page anew, while the rows are still being read."""
    users = (
        "[...document.querySelectorAll('#tables button')].find((one) => one.textContent.startsWith('users'))"
    )
    page.run(f"{users}.click()")
    page.run(_SAVE_AND_TRY)
    page.until("!document.querySelector('main').textContent.includes(\"'fax'\")")
    page.until("document.querySelectorAll('article tbody tr').length === 10")
    decided = [
        question["old_column"] for question in running.enter("Eve").state["questions"] if not question["open"]
    ]
    assert decided == ["fax"]


def test_names_and_values_are_text(page: Page) -> None:
    page.run(
        "document.querySelector('#filter').value = 'all', document.querySelector('#filter').dispatchEvent(new Event('change'))"
    )
    page.run(
        "[...document.querySelectorAll('#tables button')].find((one) => one.textContent.startsWith('users')).click()"
    )
    page.run("[...document.querySelectorAll('main > button')][0].click()")
    page.until("document.querySelectorAll('main > div tbody tr').length === 10")
    text = page.run("document.querySelector('main').innerText")
    assert "<img src=x onerror=alert(1)>" in text
    assert '"><script>alert(1)</script>' in text
    assert page.run("document.querySelectorAll('main img, main script, main b').length") == 0
    assert page.run("document.querySelectorAll('svg path').length") > 0
    # A script that got into the page would not be run.
    page.run(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"
    )
    assert page.run("window.ran") is None
    page.errors = [one for one in page.errors if "Content Security Policy" not in one]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_in_both_colours(page: Page, scheme: str) -> None:
    page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    page.send("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1, mobile=False)
    for name in page.run("[...document.querySelectorAll('#tables button')].map((one) => one.textContent)"):
        start = json.dumps(name)
        page.run(
            f"[...document.querySelectorAll('#tables button')].find((one) => one.textContent === {start}).click()"
        )
        page.run(
            "[...document.querySelectorAll('article button')].filter((one) => one.type === 'button').forEach((one) => one.click())"
        )
        page.until("!document.querySelector('main').textContent.includes('reading ten rows')")
        assert page.run("document.documentElement.scrollWidth") <= 400
        assert page.run(SIDEWAYS) == []
        # Each value has the name of its column beside it: headings would only lie over the values.
        assert page.run("[...document.querySelectorAll('.scroll thead')].every((one) => !one.offsetHeight)")
        assert page.run(BROKEN_WORDS) == []
        assert page.run(TOO_FAINT) == []
    background = page.run("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(20, 23, 28)") is (scheme == "dark")


CUT = """[...document.querySelectorAll(".sides li")].filter((item) => item.scrollWidth > item.clientWidth
  || getComputedStyle(item).textOverflow === "ellipsis" || getComputedStyle(item).whiteSpace === "nowrap").map((item) => item.textContent)"""
"""The columns of a drawing whose types cannot be read to their ends."""

LINE_ENDS = """[...document.querySelectorAll(".sides path")].map((path) => {
  const box = path.closest(".sides"), drawn = path.getBoundingClientRect();
  const item = box.querySelectorAll("ol")[0].children[path.dataset.left].getBoundingClientRect();
  const start = path.getPointAtLength(0).y + path.ownerSVGElement.getBoundingClientRect().top;
  return drawn.width > 10 && start > item.top && start < item.bottom;
})"""
"""Whether each line begins beside its old column."""


@pytest.mark.parametrize("width", [400, 1280])
def test_types_are_read_to_their_ends(page: Page, width: int) -> None:
    page.send(
        "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False
    )
    long = "public.a_domain_whose_name_goes_on_and_on_for_a_long_while(123456789) NOT NULL"
    page.run(f"state.drawings[0].left[0].words = {json.dumps(long)}, render()")
    page.run(
        "[...document.querySelectorAll('#tables button')].find((one) => one.textContent.startsWith('users')).click()"
    )
    shown = page.run("[...document.querySelectorAll('.sides li')].map((one) => one.innerText)")
    assert any(long in one for one in shown)
    assert page.run(CUT) == []
    assert page.run("document.documentElement.scrollWidth") <= width
    ends = page.run(LINE_ENDS)
    assert ends and all(ends)


def test_a_refusal_is_in_sight_wherever_the_page_is_scrolled_to(page: Page) -> None:
    page.send("Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1, mobile=False)
    page.run("say([{ message: 'refused' }]); scrollTo(0, document.body.scrollHeight)")
    seen = "(({ top, bottom }) => top >= 0 && bottom <= innerHeight)(document.querySelector('#message').getBoundingClientRect())"
    assert page.run("scrollY > 0 && innerHeight < document.body.scrollHeight")
    assert page.run(seen)


def test_what_is_asked_about_stands_first_among_the_rows_that_are_tried(page: Page) -> None:
    page.run(
        "[...document.querySelectorAll('#tables button')].find((one) => one.textContent.startsWith('users')).click()"
    )
    page.run(_SAVE_AND_TRY)
    page.until("document.querySelectorAll('article tbody tr').length === 10")
    heads = page.run("[...document.querySelectorAll('article thead th')].map((one) => one.textContent)")
    assert heads == ["state", "→ state", "id", "fax", "<img src=x onerror=alert(1)>"]
    named = page.run(
        "[...document.querySelector('article tbody tr').children].map((one) => one.dataset.column)"
    )
    assert named == heads


def test_where_nothing_is_suggested_nothing_is_chosen(page: Page, running: Running) -> None:
    page.run(
        "[...document.querySelectorAll('#tables button')].find((one) => one.textContent.startsWith('users')).click()"
    )
    unchosen = (
        "[...document.querySelectorAll('article')].find((one) => one.querySelector('select')?.value === '')"
    )
    assert page.run(f"{unchosen}.querySelector('select').selectedOptions[0].textContent") == "choose …"
    for button in ("Save this answer", "Try it on ten rows"):
        page.run(
            f"[...{unchosen}.querySelectorAll('button')].find((one) => one.textContent === {json.dumps(button)}).click()"
        )
        page.until(f"{unchosen}.textContent.includes('Choose an answer first.')")
    assert [one for one in running.enter("Eve").state["questions"] if one["decided"]] == []


def test_the_button_of_a_run_has_the_focus_again_when_the_run_has_ended(page: Page) -> None:
    page.tab_to("it.id === 'dry'")
    page.press("Enter")
    page.until("document.querySelector('#runstate').textContent.includes('ended with status')")
    assert page.run("document.activeElement.id") == "dry"
