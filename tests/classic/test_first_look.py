"""What a person who tries the tool for the first time stumbles over."""

from __future__ import annotations

import json
from collections.abc import Callable

from classic.desk import Desk

DeskOf = Callable[[str, str], Desk]

OLD = """
CREATE TABLE t (id int PRIMARY KEY, kind text, gone text);
INSERT INTO t VALUES (1, 'hidden-one', 'hidden-three'), (2, 'hidden-two', 'hidden-three');
"""
NEW = "CREATE TYPE sort AS ENUM ('hidden_one', 'other'); CREATE TABLE t (id int PRIMARY KEY, kind sort)"


def test_questions_show_no_values(desk_of: DeskOf) -> None:
    desk = desk_of(OLD, NEW)
    assert desk.type("tranship analyze config/my-config.json").status == 0
    line = "tranship resolve generate results/migration_changes.json --fresh"
    for way in ("", " --format json"):
        told = desk.type(line + way)
        assert told.status == 0, told
        assert "hidden-" not in told.stdout + told.stderr
        assert "hidden-three" in desk.type(f"{line} --show-values{way}").stdout
    assert "hidden-three" in desk.read("results/manual_resolutions.json")


def test_questions_as_json(desk_of: DeskOf) -> None:
    desk = desk_of(OLD, NEW)
    desk.type("tranship analyze config/my-config.json")
    told = json.loads(desk.type("tranship resolve generate results/migration_changes.json --format json").stdout)
    assert told["resolutions_file"] == "results/manual_resolutions.json"
    assert [question["number"] for question in told["questions"]] == [1, 2]
    assert told["missing_lookups_file"] is None
