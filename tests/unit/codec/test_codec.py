"""Files: one clear error for every bad one, numbers with their digits, whole writes for the owner alone."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tranship import __version__
from tranship.codec import (
    CHANGES_FORMAT,
    ChangesFile,
    Number,
    SideInfo,
    child,
    free_path,
    nearest,
    read_changes,
    read_jsonc,
    write_changes,
    write_json,
    write_text,
)
from tranship.codec.files import check_folder
from tranship.codec.jsonc import SyntaxProblem, parse
from tranship.errors import UsageError
from tranship.model.catalog import Catalog

CATALOG = Catalog(database="d", server_version=170000, schemas=("public",))
SIDE = SideInfo("d", 170000, "f", CATALOG)
CHANGES = ChangesFile(
    format_version=CHANGES_FORMAT,
    tool_version=__version__,
    old=SIDE,
    new=SIDE,
    summary={"total": 0},
    changes=(),
)


def plain(value: object) -> object:
    match value:
        case Number(text=text):
            return json.loads(text)
        case dict():
            return {key: plain(member) for key, member in value.items()}
        case list():
            return [plain(member) for member in value]
        case _:
            return value


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_reads_what_json_reads(value: object, ascii_only: bool) -> None:
    assert plain(parse(json.dumps(value, ensure_ascii=ascii_only, indent=1), child).root) == value


@given(st.text(alphabet="{}[]\",:/\\ \n01.eE+-truefalsn'#*", max_size=30))
def test_never_lenient_never_crashes(text: str) -> None:
    try:
        parse(text, child)
    except SyntaxProblem as problem:
        assert 1 <= problem.line <= text.count("\n") + 1
        return
    if "//" not in text:
        json.loads(text)


def test_comments_lines_and_digits(tmp_path: Path) -> None:
    file = tmp_path / "f.json"
    file.write_text(
        '\ufeff// first\n{"a": "http://x", // rest\n "b": [1.10,\n'
        ' 9007199254740993], "_c": 1, "_c": 2,\n "d.e": {"f": 1}}',
        encoding="utf-8",
    )
    document = read_jsonc(file)
    assert isinstance(document.root, dict)
    assert document.root["a"] == "http://x"
    assert document.root["b"] == [Number("1.10"), Number("9007199254740993")]
    assert [
        document.line(path) for path in ("$", "$.a", "$.b[1]", '$["d.e"].f', '$["d.e"].missing', "$.nowhere")
    ] == [2, 2, 4, 5, 5, 2]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (b"", ":1: the file is empty"),
        (b" \n\t", "empty"),
        (b'{"a": 1', "truncated"),
        (b'{"a": "x', "truncated"),
        (b'{"a": 1,\n}', ":1: not JSON: a comma after the last entry"),
        (b'{\n"a": 1,\n "a": 2}', ':3: the key "a" stands twice'),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b'{\n"a": \xe9}', ":2: not UTF-8"),
        (b"[" * 100_000, "nested deeper"),
        (b"[1] 2", "more text"),
        (b'{"a": swordfish}', "a word without quotes"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b"[01]", "a value is expected"),
        (b"[1 2]", "a comma is missing between two entries"),
        (b"hello", "a word without quotes"),
    ],
)
def test_bad_files(tmp_path: Path, text: bytes, part: str) -> None:
    file = tmp_path / "bad.json"
    file.write_bytes(text)
    with pytest.raises(UsageError) as caught:
        read_jsonc(file)
    assert part in caught.value.message
    assert str(file) in caught.value.message
    assert "swordfish" not in caught.value.message.removeprefix(str(file))
    with pytest.raises(UsageError):
        read_changes(file)


def test_an_open_text_names_a_backslash_only_where_there_is_one(tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    for line, hint in (('"a": "x,', ""), (r'"a": "C:\",', "write \\\\ for a backslash")):
        file.write_text(f"{{\n{line}\n}}")
        with pytest.raises(UsageError, match=":2: not JSON: a text") as caught:
            read_jsonc(file)
        assert caught.value.problems[0].hint == hint


def test_missing_folder_and_huge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(UsageError):
            read_jsonc(path)
    monkeypatch.setattr("tranship.codec.files.MAX_BYTES", 10)
    (tmp_path / "big").write_text("[" + "1," * 20)
    with pytest.raises(UsageError, match="larger than"):
        read_jsonc(tmp_path / "big")


def test_writing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    write_json(path, {"ä": 1})
    assert path.read_text(encoding="utf-8") == '{\n  "ä": 1\n}\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    write_text(path, "x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        write_text(path, "y", replace=False)
    assert path.read_text() == "x"
    assert free_path(path).name == "a_2.json"
    assert [p.name for p in path.parent.iterdir()] == ["a.json"]
    with pytest.raises(UsageError, match="cannot write"):
        write_text(path / "below", "z")
    # What is tried beforehand has a name of its own, which tells nobody anything.
    for folder in (path, path / "below"):
        with pytest.raises(UsageError, match=r"/result\.json: "):
            check_folder(folder / "result.json")


def test_changes_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "changes.json"
    write_changes(path, CHANGES)
    assert read_changes(path) == CHANGES


@pytest.mark.parametrize(
    "edit",
    [
        {"format_version": 99},
        {"tool_version": None},
        {"tool_version": "0.0.0"},
        {"surprise": 1},
        {"changes": "none"},
        {"old": {}},
    ],
)
def test_changes_of_others(tmp_path: Path, edit: dict[str, object]) -> None:
    path = tmp_path / "changes.json"
    write_changes(path, CHANGES)
    path.write_text(json.dumps({**json.loads(path.read_text()), **edit}))
    with pytest.raises(UsageError, match="run analyze again"):
        read_changes(path)
    path.write_text('{"changes": []}')
    with pytest.raises(UsageError, match="run analyze again"):
        read_changes(path)


def test_nearest() -> None:
    assert nearest("Pasword", ["password", "port"]) == "password"
    assert nearest("zzz", ["password"]) is None
