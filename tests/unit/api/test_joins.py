"""Each old column of a join has a line to the new one, while it is asked and when it is answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from support.changes import changes_of
from tranship.api.deciding import Deciding
from tranship.report.document import Tone

ASKED = {"action": "SPECIFY_ACTION", "description": "one name of two columns?"}
ANSWERED = {"action": "transform", "transform_sql": "old.given || ' ' || old.family"}


@pytest.mark.parametrize(("said", "tone"), [(ASKED, Tone.BAD), (ANSWERED, Tone.CHANGED)])
@pytest.mark.parametrize("key", ["people", "public.people"])
def test_each_old_column_has_a_line(tmp_path: Path, said: Mapping[str, str], tone: Tone, key: str) -> None:
    old = "people(id int pk, given text, age int, family text)"
    changes = changes_of(tmp_path, old, "people(id int pk, name text, age int)")
    entry = {**said, "old_columns": ["given", "family"], "new_column": "name"}
    file = tmp_path / "resolutions.json"
    file.write_text(json.dumps({"resolutions": {key: [entry]}}), encoding="utf-8")
    (drawing,) = Deciding(file, changes).drawings()
    links = {(drawing.left[one.left].name, drawing.right[one.right].name): one for one in drawing.links}
    assert links.keys() == {("id", "id"), ("age", "age"), ("given", "name"), ("family", "name")}
    for name in ("given", "family"):
        link = links[name, "name"]
        assert (link.tone, link.words) == (tone, "given, family → name")
