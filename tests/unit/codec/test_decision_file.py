"""A resolutions file is answered entry by entry; whatever else a person wrote stays as it is written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import ROOT
from tranship.codec.decision_file import DecisionFile, Entry, changed_meanwhile
from tranship.codec.jsonc import Number
from tranship.errors import UsageError

TEXT = """\ufeff{
  // decided on Monday
  "_team": "billing",
  "for_all": [ {"tables": "*", "when": "a -> b", "action": "SPECIFY_ACTION"} ],
  "resolutions": {
    "users": [
      {"old_column": "a", "action": "SPECIFY_ACTION"},   // ask Ann
      {
        "old_column": "b", // since 2019
        "action": "default", "default_value": 9007199254740993.10
      }
    ],
    "odd [\\"key\\"]": [{"action": "drop_table", "unknown": 1}]
  }
}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file as somebody wrote it."""
    file = tmp_path / "resolutions.json"
    file.write_text(TEXT, encoding="utf-8")
    return file


def test_only_the_entry_changes(path: Path) -> None:
    file = DecisionFile.read(path)
    saved = file.save("$.resolutions.users[0]", {"old_column": "a", "action": "ignore"})
    after = path.read_text(encoding="utf-8")
    assert after == saved.text
    expected = TEXT.lstrip("\ufeff").replace(
        '{"old_column": "a", "action": "SPECIFY_ACTION"}',
        '{\n        "old_column": "a",\n        "action": "ignore"\n      }',
    )
    assert after == expected
    assert path.stat().st_mode & 0o777 == 0o600


def test_digits_and_comments_of_an_entry_are_kept(path: Path) -> None:
    file = DecisionFile.read(path)
    _, entry = file.entries["$.resolutions.users[1]"]
    assert entry["default_value"] == Number("9007199254740993.10")
    saved = file.save("$.resolutions.users[1]", {**entry, "because": "x"})
    assert "9007199254740993.10" in saved.text
    assert saved.entries["$.resolutions.users[1]"][1]["_comments"] == ["since 2019"]
    again = saved.save("$.resolutions.users[1]", saved.entries["$.resolutions.users[1]"][1])
    assert again.text == saved.text


def test_every_entry_has_a_place(path: Path) -> None:
    places = DecisionFile.read(path).entries
    assert [(place, key) for place, (key, _) in places.items()] == [
        ("$.for_all[0]", "for_all"),
        ("$.resolutions.users[0]", "users"),
        ("$.resolutions.users[1]", "users"),
        ('$.resolutions["odd [\\"key\\"]"][0]', 'odd ["key"]'),
    ]
    file = DecisionFile.read(path)
    for place in places:
        file = file.save(place, {"action": "ignore"})
    assert [entry["action"] for _, entry in file.entries.values()] == ["ignore"] * 4


def test_a_change_of_somebody_else_is_not_overwritten(path: Path) -> None:
    mine, theirs = DecisionFile.read(path), DecisionFile.read(path)
    theirs.save("$.resolutions.users[0]", {"action": "ignore", "_decided": {"by": "Ann"}})
    before = path.read_bytes()
    with pytest.raises(UsageError) as refused:
        mine.save("$.resolutions.users[1]", {"action": "ignore"})
    (problem,) = refused.value.problems
    assert problem.code == "TS140"
    assert '$.resolutions.users[0]: "SPECIFY_ACTION" became "ignore" by Ann' in problem.message
    assert path.read_bytes() == before


def test_what_changed_in_an_answer_is_said_with_both_values(path: Path) -> None:
    place, decided = "$.resolutions.users[0]", {"by": "Ann", "at": "2030-01-01"}
    before = DecisionFile.read(path).save(
        place, {"action": "default", "default_value": Number("7"), "_decided": decided}
    )

    def told(entry: Entry) -> str:
        now = before.with_entry(place, entry)
        return changed_meanwhile(before, now).changes

    mended = {"action": "default", "default_value": Number("9"), "_decided": decided}
    assert told(mended) == f'{place}: "default" by Ann, changed by hand: default_value 7 became 9'
    signed = {**mended, "_decided": {"by": "Bob"}, "because": "as agreed", "description": "x" * 90}
    assert told(signed) == (
        f'{place}: "default" by Bob: default_value 7 became 9, because (nothing) became "as agreed", '
        f'description (nothing) became "{"x" * 59}…'
    )
    assert told({**mended, "default_value": Number("7"), "_evidence": []}) == (
        f'{place}: "default" by Ann: what is noted beside it'
    )


def test_a_change_of_comments_is_not_overwritten(path: Path) -> None:
    before = path.read_bytes()
    mine = DecisionFile.read(path)
    path.write_text(before.decode().replace("Monday", "Tuesday"), encoding="utf-8")
    with pytest.raises(UsageError, match="its comments or its layout"):
        mine.save("$.resolutions.users[1]", {"action": "ignore"})


def test_an_entry_that_is_gone_is_named(path: Path) -> None:
    with pytest.raises(UsageError, match="has no entry at"):
        DecisionFile.read(path).with_entry("$.resolutions.users[7]", {})


_SAVER = """
import sys
from pathlib import Path
from tranship.codec.decision_file import DecisionFile, Entry, changed_meanwhile
from tranship.errors import UsageError
for number in range(10):
    file = DecisionFile.read(Path(sys.argv[1]))
    name = f"{sys.argv[2]}.{number}"
    try:
        file.save("$.resolutions.users[0]", {"action": "ignore", "because": name})
    except UsageError as error:
        assert error.problems[0].code == "TS140"
    else:
        print(name)
"""


def test_of_many_who_save_at_once_the_file_holds_the_last_that_was_told_so(path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", _SAVER, str(path)]
    savers = [
        subprocess.Popen([*command, str(n)], env=environment, stdout=subprocess.PIPE, encoding="utf-8")
        for n in range(3)
    ]
    saved = [name for one in savers for name in one.communicate(timeout=120)[0].split()]
    assert [one.returncode for one in savers] == [0, 0, 0]
    last = DecisionFile.read(path).entries["$.resolutions.users[0]"][1]["because"]
    assert last in saved
    assert [p.name for p in path.parent.iterdir()] == ["resolutions.json"]


LISTED = r"""{"resolutions": {
  // the first
  "a": [{"action": "x"}, {"action": "y, \"z\""}],
  "b": [
    // before
    {"action": "x"}, // x, of course
    // between
    {"action": "y"}  // y
  ],
  "c -> d": [
    {"action": "rows"}
  ], // c
  "e": [ // kept
    {"action": "x"}
  ],
  "_note": "a, \"b\": [",
  "f": [{"action": "x"}]
}}
"""


@pytest.mark.parametrize(
    ("place", "before", "after"),
    [
        ("$.resolutions.a[0]", '[{"action": "x"}, {"action": "y', '[ {"action": "y'),
        ("$.resolutions.a[1]", ', {"action": "y, \\"z\\""}]', "]"),
        ("$.resolutions.b[0]", '    {"action": "x"}, // x, of', "     // x, of"),
        ("$.resolutions.b[1]", '}, // x, of course\n    // between\n    {"action": "y"}  // y', ""),
        ('$.resolutions["c -> d"][0]', '  "c -> d": [\n    {"action": "rows"}\n  ], // c', "   // c"),
        ("$.resolutions.e[0]", '"e": [ // kept\n    {"action": "x"}\n  ],', " // kept\n    \n  "),
        ("$.resolutions.f[0]", ',\n  "f": [{"action": "x"}]', ""),
    ],
)
def test_an_entry_goes_and_the_comments_beside_it_stay(
    tmp_path: Path, place: str, before: str, after: str
) -> None:
    file = DecisionFile(tmp_path / "r.json", LISTED)
    key, gone = file.entries[place]
    left = file.without(place)
    if place == "$.resolutions.b[1]":
        after = "} // x, of course\n    // between\n      // y"
    assert left.text == LISTED.replace(before, after)
    own = [entry for one, entry in file.entries.values() if one == key and entry is not gone]
    assert [entry for one, entry in left.entries.values() if one == key] == own
    assert len(left.document.comments) == len(file.document.comments)


def test_what_is_added_and_goes_leaves_the_text_as_it_was(path: Path) -> None:
    file = DecisionFile.read(path)
    for key in ("users", 'odd ["key"]', "new -> one", "empty"):
        added, place = file.with_added(key, {"action": "filter", "where": 'true, "}'})
        assert added.without(place).text == file.text, key
        windows = DecisionFile(path, file.text.replace("\n", "\r\n"))
        added, place = windows.with_added(key, {"action": "filter"})
        assert added.without(place).entries == windows.entries
    bare = DecisionFile(path, '{"resolutions": {"a -> b": []}}')
    assert bare.is_bare("a -> b") and not bare.is_bare("c")
    added, place = bare.with_added("a -> b", {"action": "filter"})
    assert added.without(place, keep_key=True).text == bare.text
    with pytest.raises(UsageError, match="has no entry"):
        bare.without("$.resolutions.users[9]")


def test_what_is_added_stands_behind_the_comment_of_its_line(tmp_path: Path) -> None:
    text = '{"resolutions": { // all\n  "a": [\n    {"action": "x"} // x\n  ] // a\n}}\n'
    file = DecisionFile(tmp_path / "r.json", text)
    more, place = file.with_added("a", {"action": "y"})
    assert more.text == text.replace("} // x\n", '}, // x\n    {\n      "action": "y"\n    }\n')
    assert more.without(place).text == text
    more, place = file.with_added("b", {"action": "y"})
    assert more.text.startswith('{"resolutions": { // all\n    "b": [\n')
    assert more.without(place).text == text
