"""Files that are deep, wide or long: bounded work, and one clear error where a bound is passed.

A quadratic pass over 60,000 entries takes minutes, so these tests end in seconds or show it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.build import parse_catalog
from tranship.codec import jsonc
from tranship.codec.changes import read_changes
from tranship.codec.files import child, read_jsonc
from tranship.codec.jsonc import Located, SyntaxProblem, parse
from tranship.codec.resolutions import read_resolutions
from tranship.config import load_config
from tranship.errors import UsageError
from tranship.model.evidence import Evidence
from tranship.planning.deciding.resolve import decide
from tranship.planning.deciding.suggest import suggest
from tranship.planning.matching.scope import make_scope

MANY = 60_000
ENTRIES = 15_000
"""Of one table, where every one has a problem."""
OLD, NEW = parse_catalog("t(id integer! pk, a text)"), parse_catalog("t(id integer! pk, b text)")


def weight(located: Located) -> int:
    return sum(map(len, located.lines))


@pytest.mark.parametrize("deep", ["[" * 200_000, '{"a":' * 200_000, "[" * 200_000 + "]" * 200_000])
def test_deep(tmp_path: Path, deep: str) -> None:
    file = tmp_path / "deep.json"
    file.write_text(deep)
    for read in (read_jsonc, read_resolutions, read_changes, load_config):
        with pytest.raises(UsageError) as error:
            read(file)
        assert "Recursion" not in str(error.value)


def test_a_wide_array_below_long_keys_keeps_no_long_paths() -> None:
    keys = [f"{n}" * 2_000 for n in range(10, 60)]
    text = "".join(f'{{"{key}":' for key in keys) + f"[{','.join(['1'] * MANY)}]" + "}" * len(keys)
    assert weight(parse(text, child)) < 100 * len(text)
    assert len(child("$", keys[0])) < 400
    assert child("$", "a" * 500 + "b") != child("$", "a" * 500 + "c")


def test_too_many_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonc, "MOST_VALUES", 1_000)
    assert parse(f"[{','.join(['1'] * 999)}]", child)
    with pytest.raises(SyntaxProblem, match="more than 1000 values"):
        parse(f"[{','.join(['1'] * 1_000)}]", child)


def test_a_text_of_a_million_escapes() -> None:
    assert parse('"' + "\\n\\u0041x" * 300_000 + '"', child).root == "\nAx" * 300_000
    with pytest.raises(SyntaxProblem):
        parse('"' + "\\n" * 1_000_000, child)


def test_many_names_of_which_the_last_stands_twice(tmp_path: Path) -> None:
    names = [f"t{n}" for n in range(MANY)]
    file = tmp_path / "c.json"
    side = {"host": "h", "database": "d", "username": "u", "password": "p"}
    document = {"old_database": side, "new_database": {**side, "host": "k"}, "tables": [*names, names[-1]]}
    file.write_text(json.dumps(document))
    with pytest.raises(UsageError, match=f"'{names[-1]}' stands twice"):
        load_config(file)
    file.write_text("{" + ",".join(f'"{name}": 1' for name in [*names, names[-1]]) + "}")
    with pytest.raises(UsageError, match="twice"):
        read_changes(file)


def test_many_comments_go_with_their_entries(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    entries = "\n".join(
        f'// note {n}\n{{"action": "ignore", "old_column": "c{n}"{"}," if n < MANY - 1 else "}"} // after {n}'
        for n in range(MANY)
    )
    file.write_text(f'// head\n{{"resolutions": {{"t": [\n{entries}\n]}}\n// tail\n}}')
    read = read_resolutions(file)
    assert json.loads(read.entries[-1].source)["_comments"] == [f"note {MANY - 1}", f"after {MANY - 1}"]
    assert json.loads(read.entries[7].source)["_comments"] == ["note 7", "after 7"]
    assert json.loads(dict(read.remarks)["_comments"]) == ["head", "tail"]


@pytest.mark.parametrize(
    ("entries", "problems"),
    [
        ([{"action": "rename", "old_column": "a", "new_column": "b"}] * ENTRIES, ENTRIES - 1),
        ([{"action": "drop_table"}] * ENTRIES, ENTRIES - 1),
        (
            [{"action": "drop_table"}, *[{"action": "ignore", "old_column": "a"}] * (ENTRIES - 1)],
            2 * ENTRIES - 3,
        ),
        (
            [
                *[{"action": "SPECIFY_ACTION", "old_column": "a", "new_column": "b"}] * (ENTRIES // 2),
                *[{"action": "ignore", "old_column": f"x{n}"} for n in range(ENTRIES // 2)],
            ],
            ENTRIES,
        ),
    ],
)
def test_many_entries_of_one_table(tmp_path: Path, entries: list[object], problems: int) -> None:
    file = tmp_path / "r.json"
    file.write_text(json.dumps({"resolutions": {"t": entries}}))
    read = read_resolutions(file)
    scope, _ = make_scope(OLD, NEW, None)
    _, _, found = decide(read, OLD, NEW, scope)
    assert len(found) == problems
    assert suggest(OLD, NEW, scope, Evidence(), read).dropped
