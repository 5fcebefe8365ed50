"""A NEW that holds some of OLD's rows before the run, equal and others."""

from __future__ import annotations

import json
from pathlib import Path

OLD = """
CREATE TABLE item (id int PRIMARY KEY, name text, price numeric);
INSERT INTO item SELECT g, 'name ' || g, g + 0.50 FROM generate_series(1, 300) g;
"""
NEW = """
CREATE TABLE item (id bigint PRIMARY KEY, name text, price numeric, own text);
INSERT INTO item SELECT g, CASE WHEN g > 10 THEN 'other' ELSE 'name ' || g END, g + 0.50, 'mine' FROM generate_series(1, 40) g;
"""


def decided(folder: Path, rows: str) -> str:
    """The file with the decision about the rows of NEW."""
    path = folder / "decisions.json"
    path.write_text(
        json.dumps({"resolutions": {"item": [{"action": "existing", "key": ["id"], "rows": rows}]}})
    )
    return str(path)
