"""Values of decisions are tried on the servers before anything moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import Database, MakePair
from tranship.analysis.value_checks import refused_values
from tranship.codec import read_jsonc
from tranship.codec.resolutions import parse_resolutions
from tranship.model.catalog import Catalog
from tranship.model.names import Side
from tranship.planning.deciding.resolve import decide
from tranship.planning.deciding.resolve.casts import cast_questions
from tranship.planning.matching.scope import make_scope
from tranship.server.catalog import read_catalog
from tranship.server.session import pin

OLD = "CREATE TABLE t (id int PRIMARY KEY, d date, c text, v text, n text)"
NEW = """CREATE DOMAIN small AS varchar(3) CHECK (VALUE <> 'no');
CREATE TABLE t (id int PRIMARY KEY, d text, c inet, v small NOT NULL, n int[], "we ird" interval NOT NULL);"""
FILE = """{"resolutions": {"t": [
  {"old_column": "d", "new_column": "d", "action": "transform",
      "value_mapping": {"2024-01-01": "x", "2024-01-32": "y", "the day": "z"}},
  {"old_column": "c", "new_column": "c", "action": "transform",
      "value_mapping": {"a": "10.0.0.1", "b": "10.0.0.300"}, "default_value": "it's"},
  {"old_column": "v", "new_column": "v", "action": "transform",
      "value_mapping": {"a": "yes", "b": "no", "c": "y  "}, "null_value": "ok "},
  {"old_column": "n", "new_column": "n", "action": "transform",
      "value_mapping": {"a": "{1,2}", "b": "{1,x}"}},
  {"new_column": "we ird", "action": "default", "default_value": "$tranship$ 1 day"}]}}"""


async def _read(database: Database) -> Catalog:
    async with database.connect() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        return await read_catalog(conn, None)


@pytest.mark.parametrize("majors", [None, (15, 15)])
async def test_what_only_a_server_can_tell(
    make_pair: MakePair, tmp_path: Path, majors: tuple[int, int] | None
) -> None:
    pair = await make_pair(OLD, NEW, majors=majors)
    old, new = await _read(pair.old), await _read(pair.new)
    path = tmp_path / "r.json"
    path.write_text(FILE, encoding="utf-8")
    answers, _, problems = decide(
        parse_resolutions(read_jsonc(path)), old, new, make_scope(old, new, None)[0]
    )
    assert [p.message for p in problems] == [
        "value_mapping key '2024-01-32' is no value of OLD's column 'd' (date)"
    ]
    path.write_text(FILE.replace('"2024-01-32": "y", ', ""), encoding="utf-8")
    answers, _, problems = decide(
        parse_resolutions(read_jsonc(path)), old, new, make_scope(old, new, None)[0]
    )
    assert not problems
    questions = cast_questions(answers, old, new)
    async with pair.old.connect() as conn:
        await pin(conn, Side.OLD, datestyle="ISO, MDY", search_path="")
        refused = await refused_values(conn, Side.OLD, questions)
    assert [p.message for p in refused] == [
        "value_mapping key 'the day' is no value of OLD's column 'd' (date)"
    ]
    async with pair.new.connect() as conn:
        await pin(conn, Side.NEW, datestyle="ISO, MDY", search_path="")
        refused = await refused_values(conn, Side.NEW, questions)
    assert [p.message.split(" is no value")[0] for p in refused] == [
        "value_mapping['b']: '10.0.0.300'",
        'default_value "it\'s"',
        "value_mapping['b']: 'no'",
        "value_mapping['b']: '{1,x}'",
        "default_value '$tranship$ 1 day'",
    ]
    assert all(p.hint for p in refused)
    assert refused[0].object.startswith("$.resolutions.t[1] (t.c)")
