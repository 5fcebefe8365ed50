"""What is said of an expression with a syntax error names its own words, none of the statement around it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import MakePair
from tranship import api
from tranship.config import load_config
from tranship.errors import Refused
from tranship.model.options import MigrateOptions

AT_THE_END = "syntax error at its end: something is missing there, or its brackets do not match"
WRONG = {
    "split_part(old.v, '@', 1": AT_THE_END,
    "CASE old.v WHEN": AT_THE_END,
    "lower(old.v))": AT_THE_END,
    "lower(old.v) upper(old.v)": 'syntax error at or near "upper"',
    "'abc": 'unterminated quoted string at or near "\'abc"',
    "$$abc": 'unterminated dollar-quoted string at or near "$$abc"',
}


async def test_a_syntax_error_is_told_in_the_words_of_the_expression(
    make_pair: MakePair, tmp_path: Path
) -> None:
    tables = "CREATE TABLE t (id int PRIMARY KEY, v text{})"
    columns = [f"c{number}" for number in range(len(WRONG))]
    pair = await make_pair(tables.format(""), tables.format("".join(f", {name} text" for name in columns)))
    entries = [
        {"action": "transform", "new_column": name, "transform_sql": text}
        for name, text in zip(columns, WRONG, strict=True)
    ]
    decided = tmp_path / "decided.json"
    decided.write_text(json.dumps({"resolutions": {"t": entries}}))
    with pytest.raises(Refused) as refused:
        await api.migrate(
            load_config(pair.config(tmp_path)),
            MigrateOptions(results_dir=str(tmp_path / "results"), resolutions=str(decided)),
        )
    said = {problem.object: problem.message for problem in refused.value.problems}
    for name, (text, words) in zip(columns, WRONG.items(), strict=True):
        assert said[f"public.t.{name}"] == f"transform_sql {text!r}: {words}"
