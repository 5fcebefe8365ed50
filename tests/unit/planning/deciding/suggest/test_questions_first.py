"""A whole suggestion that cannot be taken before a key has new values says so, and stands behind those that can."""

from __future__ import annotations

import json
from pathlib import Path

from support.build import parse_catalog
from tranship.api.suggested import suggestions_in
from tranship.codec import encode, read_jsonc
from tranship.codec.decision_file import DecisionFile
from tranship.codec.resolutions import parse_resolutions
from tranship.model.evidence import Evidence
from tranship.planning.deciding.suggest import Suggestions, suggest
from tranship.planning.matching.scope import make_scope

OLD = "customer(id int pk, name text, street text, city text, zip text)"
NEW = (
    "customer(id {} pk, name text);"
    "address(id int pk = 1, customer_id {}! -> customer.id, street text, city text, zip text)"
)
NEW_KEY = '{"resolutions": {"customer": [{"action": "new_key", "column": "id", "as": "uuid"}]}}'


def suggested(new: str, folder: Path | None = None) -> Suggestions:
    old, after = parse_catalog(OLD), parse_catalog(new)
    file = None
    if folder is not None:
        path = folder / "decided.json"
        path.write_text(NEW_KEY, encoding="utf-8")
        file = parse_resolutions(read_jsonc(path))
    return suggest(old, after, make_scope(old, after, None)[0], Evidence(), file)


def test_the_question_that_comes_first_is_named(tmp_path: Path) -> None:
    made = suggested(NEW.format("uuid", "uuid"))
    (shape,) = made.shapes
    assert shape.first == ("customer.id",)
    assert str(shape.evidence[0]).startswith("first decide action 'new_key' for customer.id: ")
    path = tmp_path / "resolutions.json"
    path.write_bytes(encode(made.document))
    (read,) = suggestions_in(DecisionFile.read(path))
    assert (read.first, read.evidence[0]) == (("customer.id",), shape.evidence[0])


def test_nothing_comes_first_where_the_key_is_decided_or_keeps_its_values(tmp_path: Path) -> None:
    for made in (suggested(NEW.format("uuid", "uuid"), tmp_path), suggested(NEW.format("bigint", "bigint"))):
        (shape,) = made.shapes
        assert shape.first == ()
        assert "TS328" not in str(shape.evidence)
        assert "_first" not in json.dumps(json.loads(encode(made.document))["_suggestions"])


def test_what_can_be_taken_comes_first() -> None:
    """The detector finds the split of the customers before that of the members."""
    old = parse_catalog(f"{OLD}; member(id int pk, name text, shoe_size int, bio text)")
    new = parse_catalog(
        f"{NEW.format('uuid', 'uuid')}; member(id int pk, name text);"
        "profile(member_id int pk -> member.id, shoe_size int, bio text)"
    )
    made = suggest(old, new, make_scope(old, new, None)[0], Evidence())
    assert [(shape.table.name, shape.first) for shape in made.shapes] == [
        ("member", ()),
        ("customer", ("customer.id",)),
    ]
