"""Suggestions of another shape: each with what speaks for it, none taken by itself. Taken as they are written,
they make what plain SQL makes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support import MakePair, Pair
from tranship import api
from tranship.api.deciding import Answer, Deciding
from tranship.config import load_config
from tranship.errors import Refused
from tranship.model.options import MigrateOptions


@dataclass(frozen=True)
class Suggested:
    """One job: what is suggested, the entries that a person adds, and what NEW holds then."""

    old: str
    new: str
    questions: tuple[str, ...]
    """Of the suggestions, in order; all of them are taken."""
    says: tuple[str, ...]
    """Parts of their evidence."""
    rows: tuple[tuple[str, list[tuple[Any, ...]]], ...]
    own: dict[str, list[dict[str, object]]] | None = None
    """Entries of the person, by key."""


JOBS = {
    "split": Suggested(
        """CREATE TABLE members (id int PRIMARY KEY, login text, bio text, born date);
        INSERT INTO members VALUES (1, 'ada', 'math', '1815-12-10'), (2, 'bob', NULL, NULL)""",
        """CREATE TABLE members (id int PRIMARY KEY, login text);
        CREATE TABLE profiles (member_id int PRIMARY KEY REFERENCES members, bio text, born date)""",
        ("Do columns of 'members' fill 'profiles'?",),
        ("has columns of their names: 'bio', 'born'", "its 'member_id' refers to NEW's public.members"),
        (("SELECT member_id, bio, born::text FROM profiles", [(1, "math", "1815-12-10"), (2, None, None)]),),
    ),
    "lists": Suggested(
        """CREATE TABLE recipes (id int PRIMARY KEY, tags text, cooks int[]);
        CREATE TABLE cooks (id int PRIMARY KEY); INSERT INTO cooks VALUES (1), (2);
        INSERT INTO recipes VALUES (1, 'warm, quick', '{1,2}'), (2, '', NULL)""",
        """CREATE TABLE recipes (id int PRIMARY KEY); CREATE TABLE cooks (id int PRIMARY KEY);
        CREATE TABLE recipe_tags (recipe_id int REFERENCES recipes, tag text NOT NULL, PRIMARY KEY (recipe_id, tag));
        CREATE TABLE recipe_cooks (recipe_id int REFERENCES recipes, cook_id int REFERENCES cooks,
          PRIMARY KEY (recipe_id, cook_id))""",
        (
            "Does 'tags' of 'recipes' become rows of 'recipe_tags'?",
            "Does 'cooks' of 'recipes' become rows of 'recipe_cooks'?",
        ),
        ("lists between ','", "its values are arrays"),
        (
            ("SELECT * FROM recipe_tags", [(1, "quick"), (1, "warm")]),
            ("SELECT * FROM recipe_cooks", [(1, 1), (1, 2)]),
        ),
    ),
    "lists of keys, in order": Suggested(
        """CREATE TABLE dogs (id int PRIMARY KEY); INSERT INTO dogs VALUES (1), (2);
        CREATE TABLE walks (id int PRIMARY KEY, dogs text); INSERT INTO walks VALUES (1, '2;1'), (2, ';2')""",
        """CREATE TABLE dogs (id int PRIMARY KEY); CREATE TABLE walks (id int PRIMARY KEY);
        CREATE TABLE walk_dogs (walk_id int REFERENCES walks, position int, dog_id int REFERENCES dogs,
          PRIMARY KEY (walk_id, position))""",
        ("Does 'dogs' of 'walks' become rows of 'walk_dogs'?",),
        ("lists between ';'",),
        (("SELECT * FROM walk_dogs", [(1, 1, 2), (1, 2, 1), (2, 2, 2)]),),
    ),
    "references become links": Suggested(
        """CREATE TABLE vets (id int PRIMARY KEY, name text); INSERT INTO vets VALUES (1, 'ann'), (2, 'ben');
        CREATE TABLE pets (id int PRIMARY KEY, vet int, owner int REFERENCES vets);
        INSERT INTO pets VALUES (1, 2, 1), (2, NULL, 1), (3, 1, NULL)""",
        """CREATE TABLE vets (id int PRIMARY KEY, name text); CREATE TABLE pets (id int PRIMARY KEY);
        CREATE TABLE pets_vet_links (id serial PRIMARY KEY, pet_id int REFERENCES pets, vet_id int REFERENCES vets);
        CREATE TABLE owners (pet_id int REFERENCES pets, owner_id int REFERENCES vets, PRIMARY KEY (pet_id, owner_id))""",
        (
            "Does 'owner' of 'pets' become rows of 'owners'?",
            "Does 'vet' of 'pets' become rows of 'pets_vet_links'?",
        ),
        ("'owner' refers to OLD's public.vets", "'vet' is called like 'vet_id'", "2 of 3 rows have one"),
        (
            ("SELECT pet_id, vet_id FROM pets_vet_links", [(1, 2), (3, 1)]),
            ("SELECT * FROM owners", [(1, 1), (2, 1)]),
        ),
    ),
    "columns become rows to which theirs refer": Suggested(
        """CREATE TABLE guests (id int PRIMARY KEY, home_street text, home_town text);
        CREATE TABLE parcels (id int PRIMARY KEY, from_street text, from_town text, to_street text, to_town text);
        INSERT INTO guests VALUES (1, 'a', 'x'), (2, NULL, NULL), (3, 'a', 'x');
        INSERT INTO parcels VALUES (1, 'b', 'x', 'c', NULL), (2, NULL, NULL, 'd', 'y')""",
        """CREATE TABLE places (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, street text, town text);
        CREATE TABLE guests (id int PRIMARY KEY, home_id int REFERENCES places);
        CREATE TABLE parcels (id int PRIMARY KEY, from_id int REFERENCES places, to_id int REFERENCES places)""",
        (
            "Do columns of 'guests' become rows of 'places' to which it refers?",
            "Do columns of 'parcels' become rows of 'places' to which it refers?",
        ),
        ("refers to public.places, which nothing fills, by 'from_id' and 'to_id'", "equal ones stay apart"),
        (
            (
                "SELECT g.id, street, town FROM guests AS g JOIN places AS p ON p.id = g.home_id",
                [(1, "a", "x"), (3, "a", "x")],
            ),
            (
                "SELECT p.id, f.street, t.street FROM parcels AS p LEFT JOIN places AS f ON f.id = p.from_id"
                " LEFT JOIN places AS t ON t.id = p.to_id",
                [(1, "b", "c"), (2, None, "d")],
            ),
            ("SELECT count(*) FROM places", [(5,)]),
        ),
    ),
    "rows that have a name in common": Suggested(
        """CREATE TABLE staff (id int PRIMARY KEY, firm_name text, firm_vat text);
        INSERT INTO staff VALUES (1, 'Oak', '7'), (2, NULL, NULL), (3, 'Oak', '7'), (4, 'Elm', NULL)""",
        """CREATE TABLE firms (id serial PRIMARY KEY, name text NOT NULL UNIQUE, vat text);
        CREATE TABLE staff (id int PRIMARY KEY, firm_id int REFERENCES firms)""",
        ("Do columns of 'staff' become rows of 'firms' to which it refers?",),
        ("'name' is unique there", "'keep' decides"),
        (
            (
                "SELECT s.id, f.name, f.vat FROM staff AS s LEFT JOIN firms AS f ON f.id = s.firm_id",
                [(1, "Oak", "7"), (2, None, None), (3, "Oak", "7"), (4, "Elm", None)],
            ),
        ),
    ),
    "arrays of JSON": Suggested(
        """CREATE TABLE pads (id int PRIMARY KEY, notes jsonb); INSERT INTO pads VALUES (1, '["b", "a"]'), (2, '[]')""",
        """CREATE TABLE pads (id int PRIMARY KEY);
        CREATE TABLE pad_notes (pad_id int REFERENCES pads, note text NOT NULL, PRIMARY KEY (pad_id, note))""",
        ("Does 'notes' of 'pads' become rows of 'pad_notes'?",),
        ("its values are JSON arrays",),
        (("SELECT * FROM pad_notes", [(1, "a"), (1, "b")]),),
    ),
    "tree": Suggested(
        """CREATE TABLE cats (id int PRIMARY KEY, parent_id int REFERENCES cats, name text);
        INSERT INTO cats VALUES (1, NULL, 'all'), (2, 1, 'food'), (3, 2, 'fruit')""",
        """CREATE TABLE cats (id int PRIMARY KEY, name text, path text NOT NULL, depth int NOT NULL);
        CREATE TABLE tree (ancestor int REFERENCES cats, descendant int REFERENCES cats, distance int NOT NULL,
          PRIMARY KEY (ancestor, descendant))""",
        ("Does the tree of 'cats' fill 'tree'?", "Does the tree of 'cats' become a path?"),
        ("refers to its own table",),
        (
            ("SELECT * FROM tree", [(1, 1, 0), (1, 2, 1), (1, 3, 2), (2, 2, 0), (2, 3, 1), (3, 3, 0)]),
            ("SELECT id, path, depth FROM cats", [(1, "1", 1), (2, "1.2", 2), (3, "1.2.3", 3)]),
        ),
    ),
    "tables of one kind": Suggested(
        """CREATE TABLE customers (id int PRIMARY KEY, name text, credit int);
        CREATE TABLE suppliers (id int PRIMARY KEY, name text, lead_days int);
        CREATE TABLE invoices (id int PRIMARY KEY, customer_id int REFERENCES customers);
        CREATE TABLE deliveries (id int PRIMARY KEY, supplier_id int REFERENCES suppliers);
        INSERT INTO customers VALUES (1, 'Ann', 5), (12, 'Ben', 6); INSERT INTO suppliers VALUES (1, 'Steel', 9);
        INSERT INTO invoices VALUES (1, 12); INSERT INTO deliveries VALUES (1, 1)""",
        """CREATE TABLE parties (id int PRIMARY KEY, kind text NOT NULL CHECK (kind IN ('supplier', 'customer')),
          name text, credit int, lead_days int);
        CREATE TABLE invoices (id int PRIMARY KEY, party_id int REFERENCES parties);
        CREATE TABLE deliveries (id int PRIMARY KEY, party_id int REFERENCES parties)""",
        ("Do the rows of 'suppliers' go into 'parties', too?",),
        ("has 3 of its 3 columns", "'kind' allows 'supplier'", "the offset moves these behind"),
        (
            (
                "SELECT id, kind, name FROM parties",
                [(1, "customer", "Ann"), (12, "customer", "Ben"), (10001, "supplier", "Steel")],
            ),
            ("SELECT * FROM deliveries", [(1, 10001)]),
            ("SELECT * FROM invoices", [(1, 12)]),
        ),
        {
            "customers": [{"action": "rename_table", "new_table": "parties"}],
        },
    ),
    "attributes and child rows": Suggested(
        """CREATE TABLE items (id int PRIMARY KEY);
        CREATE TABLE attrs (id int PRIMARY KEY, code text UNIQUE);
        CREATE TABLE item_attrs (item_id int REFERENCES items, attr_id int REFERENCES attrs, val text,
          PRIMARY KEY (item_id, attr_id));
        CREATE TABLE phones (id int PRIMARY KEY, item_id int REFERENCES items, number text);
        INSERT INTO items VALUES (1), (2); INSERT INTO attrs VALUES (1, 'weight'), (2, 'colour');
        INSERT INTO item_attrs VALUES (1, 1, '17.5'), (1, 2, 'oak'); INSERT INTO phones VALUES (1, 1, '+1'), (2, 1, '+2')""",
        """CREATE TABLE items (id int PRIMARY KEY, weight numeric, rest jsonb NOT NULL DEFAULT '{}',
          phones text[] NOT NULL DEFAULT '{}')""",
        (
            "Do the rows of 'item_attrs' fill columns of 'items'?",
            "Do the rows of 'phones' become 'phones' of 'items'?",
        ),
        ("its names are columns of NEW's public.items: 'weight'", "nothing fills 'phones'"),
        (
            (
                "SELECT id, weight::text, rest::text, phones FROM items",
                [(1, "17.5", '{"colour": "oak"}', ["+1", "+2"]), (2, None, "{}", [])],
            ),
        ),
    ),
    "keys of JSON": Suggested(
        """CREATE TABLE devices (id int PRIMARY KEY, data jsonb);
        INSERT INTO devices VALUES (1, '{"name": "lamp", "watt": 40, "rooms": ["hall", "attic"], "note": "old"}'),
          (2, '{"name": "fan"}'), (3, NULL)""",
        """CREATE TABLE devices (id int PRIMARY KEY, name text, watt int, rooms text[], rest jsonb)""",
        ("Do keys of 'data' fill columns of 'devices'?",),
        (
            "2 rows of 'data' hold an object",
            "'watt' in 1 (number)",
            "'rest' takes every key that has no column",
        ),
        (
            (
                "SELECT id, name, watt, rooms, rest::text FROM devices",
                [
                    (1, "lamp", 40, ["hall", "attic"], '{"note": "old"}'),
                    (2, "fan", None, None, "{}"),
                    (3, None, None, None, "{}"),
                ],
            ),
        ),
    ),
    "JSON that becomes tables": Suggested(
        """CREATE TABLE purchases (id int PRIMARY KEY, items jsonb, shipping json);
        INSERT INTO purchases VALUES (1, '[{"sku": "a", "qty": 2, "gift": true}, {"sku": "b", "qty": 1}, null]',
          '{"street": "Weg 1", "city": "Ulm"}'), (2, '[]', 'null'), (3, NULL, NULL)""",
        """CREATE TABLE purchases (id int PRIMARY KEY);
        CREATE TABLE purchase_items (purchase_id int REFERENCES purchases, position int, sku text NOT NULL,
          qty int NOT NULL, PRIMARY KEY (purchase_id, position));
        CREATE TABLE shippings (purchase_id int PRIMARY KEY REFERENCES purchases, street text, city text)""",
        (
            "Does each item of 'items' of 'purchases' become a row of 'purchase_items'?",
            "Does the object in 'shipping' of 'purchases' become a row of 'shippings'?",
        ),
        (
            "2 items are objects",
            "'sku' in 2 (string), 'qty' in 2 (number)",
            "keys that would be left behind: 'gift'",
            "1 row with an object",
        ),
        (
            ("SELECT purchase_id, position, sku, qty FROM purchase_items", [(1, 1, "a", 2), (1, 2, "b", 1)]),
            ("SELECT * FROM shippings", [(1, "Weg 1", "Ulm")]),
        ),
    ),
    "tables of years": Suggested(
        """CREATE TABLE visits_2023 (id int PRIMARY KEY, seen timestamptz, page text);
        CREATE TABLE visits_2024 (LIKE visits_2023 INCLUDING ALL); CREATE TABLE visits_2025 (LIKE visits_2023 INCLUDING ALL);
        INSERT INTO visits_2023 VALUES (1, '2023-01-01', 'x'); INSERT INTO visits_2024 VALUES (1, '2024-01-01', 'y');
        INSERT INTO visits_2025 VALUES (1, '2025-01-01', 'z')""",
        """CREATE TABLE visits (id int PRIMARY KEY, seen timestamptz, page text)""",
        (
            "Do the rows of 'visits_2024' go into 'visits', too?",
            "Do the rows of 'visits_2025' go into 'visits', too?",
        ),
        ("has 3 of its 3 columns",),
        (("SELECT page FROM visits", [("x",), ("y",), ("z",)]),),
        {"visits_2023": [{"action": "rename_table", "new_table": "visits"}]},
    ),
    "one way of writing": Suggested(
        """CREATE TABLE clients (id int PRIMARY KEY, email text);
        CREATE TABLE jobs (id int PRIMARY KEY, client_id int REFERENCES clients);
        INSERT INTO clients VALUES (1, 'Ann@x.org'), (2, 'ben@x.org'), (3, ' ann@x.org');
        INSERT INTO jobs VALUES (1, 1), (2, 3)""",
        """CREATE TABLE clients (id int PRIMARY KEY, email text UNIQUE CHECK (email = lower(email)));
        CREATE TABLE jobs (id int PRIMARY KEY, client_id int REFERENCES clients)""",
        ("Is 'email' of 'clients' written in one way?",),
        ("2 of 3 rows would be written in another way", "1 row would then be another row's equal"),
        (
            ("SELECT * FROM clients", [(1, "ann@x.org"), (2, "ben@x.org")]),
            ("SELECT * FROM jobs", [(1, 1), (2, 1)]),
        ),
    ),
    "a unique index that ignores case": Suggested(
        """CREATE TABLE labels (id int PRIMARY KEY, name text); INSERT INTO labels VALUES (1, 'Red'), (2, 'red')""",
        """CREATE TABLE labels (id int PRIMARY KEY, name text); CREATE UNIQUE INDEX labels_name ON labels (lower(name))""",
        ("Do rows of 'labels' become one where 'name' is only written in another way?",),
        ("NEW has a unique index on lower(name) (labels_name)",),
        (("SELECT * FROM labels", [(1, "Red")]),),
    ),
    "empty texts beside a unique index that ignores case": Suggested(
        """CREATE TABLE tints (id int PRIMARY KEY, name text);
        INSERT INTO tints VALUES (1, 'Red'), (2, 'red'), (3, ''), (4, ' '), (5, 'blue')""",
        """CREATE TABLE tints (id int PRIMARY KEY, name text); CREATE UNIQUE INDEX tints_name ON tints (lower(name))""",
        (
            "Do rows of 'tints' become one where 'name' is only written in another way?",
            "Does the empty text of 'name' of 'tints' become NULL?",
        ),
        (
            "values that would be one, for example: 'Red', 'red'",
            "1 row would then be another row's equal",
            "2 rows hold the empty text or blanks alone",
        ),
        (("SELECT * FROM tints", [(1, "Red"), (3, None), (4, None), (5, "blue")]),),
    ),
    "a new unique key": Suggested(
        """CREATE TABLE users (id int PRIMARY KEY, login text); INSERT INTO users VALUES (1, 'a'), (2, 'a')""",
        """CREATE TABLE users (id int PRIMARY KEY, login text UNIQUE)""",
        ("Do rows of 'users' with the same (login) become one?",),
        ("NEW allows (login) once, and 1 row of OLD would be rejected",),
        (("SELECT * FROM users", [(1, "a")]),),
    ),
    "a name in another table": Suggested(
        """CREATE TABLE lu_kind (nr int PRIMARY KEY, label text UNIQUE, sort int, color text);
        CREATE TABLE goods (id int PRIMARY KEY, kind int REFERENCES lu_kind);
        INSERT INTO lu_kind VALUES (1, 'tool', 1, 'x'), (2, 'food', 2, 'y'); INSERT INTO goods VALUES (1, 2), (2, NULL)""",
        """CREATE TABLE categories (id int PRIMARY KEY, name text UNIQUE);
        INSERT INTO categories VALUES (70, 'food'), (71, 'tool'), (72, 'toy');
        CREATE TABLE goods (id int PRIMARY KEY, category_id int REFERENCES categories)""",
        ("Does 'kind' of 'goods' lead to 'categories' by name?",),
        (
            "whose rows are called by 'label'",
            "2 of 2 names in public.lu_kind are in public.categories of NEW",
            "old id → old name → new id",
        ),
        (("SELECT * FROM goods", [(1, 70), (2, None)]),),
    ),
    "marked as deleted": Suggested(
        """CREATE TABLE orders (id int PRIMARY KEY, deleted_at timestamp);
        CREATE TABLE positions (id int PRIMARY KEY, order_id int REFERENCES orders);
        INSERT INTO orders VALUES (1, NULL), (2, '2024-01-01'); INSERT INTO positions VALUES (1, 1), (2, 2)""",
        """CREATE TABLE orders (id int PRIMARY KEY);
        CREATE TABLE positions (id int PRIMARY KEY, order_id int REFERENCES orders)""",
        ("Do only rows move that 'deleted_at' of 'orders' does not mark?",),
        ("1 of 2 rows are marked",),
        (("SELECT * FROM orders", [(1,)]), ("SELECT * FROM positions", [(1, 1)])),
    ),
}


async def test_what_is_suggested_makes_what_plain_sql_makes(make_pair: MakePair, tmp_path: Path) -> None:
    jobs = list(JOBS.values())
    pair = await make_pair(";".join(job.old for job in jobs), ";".join(job.new for job in jobs))
    made = await _generated(pair, tmp_path)
    proposed = made["_suggestions"]
    wanted = {question for job in jobs for question in job.questions}
    found = {one["question"] for one in proposed}
    assert (found - wanted, wanted - found) == (set(), set())
    said = "\n".join(fact for one in proposed for fact in one["_evidence"])
    assert [part for job in jobs for part in job.says if part not in said] == []
    _take(tmp_path, made, [*(one["resolutions"] for one in proposed), *(job.own or {} for job in jobs)])
    options = MigrateOptions(live=True, resolutions=str(tmp_path / "mine.json"), results_dir=str(tmp_path))
    result, _ = await api.migrate(load_config(tmp_path / "config.json"), options)
    assert result.exit_status == 0, result.problems
    for query, rows in (one for job in jobs for one in job.rows):
        assert sorted(await pair.new.fetch(query), key=repr) == sorted(rows, key=repr)


@pytest.mark.parametrize("names", ["(9, 'red')", ""])
async def test_names_that_new_does_not_hold_lead_nowhere(
    make_pair: MakePair, tmp_path: Path, names: str
) -> None:
    job = JOBS["a name in another table"]
    held = "(70, 'food'), (71, 'tool'), (72, 'toy')"
    insert = f"INSERT INTO categories VALUES {held};"
    assert insert in job.new
    other = f"INSERT INTO categories VALUES {names};" if names else ""
    made = await _generated(await make_pair(job.old, job.new.replace(insert, other)), tmp_path)
    assert [one["question"] for one in made.get("_suggestions", ()) if "by name" in one["question"]] == []


@pytest.mark.parametrize(
    "refers_to",
    [
        pytest.param("language", id="another table than NEW's references"),
        pytest.param(None, id="its own key among them"),
    ],
)
async def test_what_names_a_row_is_no_value_of_a_child_table(
    make_pair: MakePair, tmp_path: Path, refers_to: str | None
) -> None:
    reference = f" REFERENCES {refers_to}" if refers_to else ""
    old = f"""CREATE TABLE language (id int PRIMARY KEY, name text);
        CREATE TABLE film (film_id int PRIMARY KEY, title text, spoken_id int{reference}, dubbed_id int{reference})"""
    new = """CREATE TABLE language (id int PRIMARY KEY, name text); CREATE TABLE tag (tag_id int PRIMARY KEY, word text);
        CREATE TABLE film (id int PRIMARY KEY, title text);
        CREATE TABLE film_tag (film int REFERENCES film, tag_id int REFERENCES tag, PRIMARY KEY (film, tag_id))"""
    made = await _generated(await make_pair(old, new), tmp_path)
    asked = [one for one in made.get("_suggestions", ()) if "rows of 'film_tag'" in one["question"]]
    assert "film_id" not in str([one["_evidence"] for one in asked])
    assert bool(asked) is (refers_to is None)


async def test_accepted_ones_leave_nothing_open_and_can_be_taken_back(
    make_pair: MakePair, tmp_path: Path
) -> None:
    """The questions that they answer stay in the file."""
    jobs = list(JOBS.values())
    pair = await make_pair(";".join(job.old for job in jobs), ";".join(job.new for job in jobs))
    await _generated(pair, tmp_path)
    file, changes = tmp_path / "manual_resolutions.json", tmp_path / "migration_changes.json"
    before = file.read_text(encoding="utf-8")
    deciding = Deciding(file, changes)
    (united,) = [one for one in deciding.suggestions() if one.table == "suppliers"]
    assert united.first == ("customers",), "whose own question comes first"
    for one in deciding.suggestions():
        if not one.taken:
            assert deciding.take(one.place, one.entries, "Ann") == ()
    for one in reversed(deciding.suggestions()):
        if one.undoable:
            deciding.take_back(one.place)
    assert file.read_text(encoding="utf-8") == before, "as if nobody had taken one"
    for table, new in (("customers", "parties"), ("visits_2023", "visits")):
        (asked,) = [one for one in deciding.questions() if one.table == table and not one.new_column]
        renamed = {"action": "rename_table", "new_table": new}
        assert deciding.answer(asked.place, Answer(renamed, "Ann", "choice")) == ()
    for one in deciding.suggestions():
        assert deciding.take(one.place, one.entries, "Ann") == ()
    assert [one for one in deciding.questions() if one.open] == []
    assert [one for one in api.validate(file, changes) if not one.warning] == []
    options = MigrateOptions(live=True, resolutions=str(file), results_dir=str(tmp_path))
    result, _ = await api.migrate(load_config(tmp_path / "config.json"), options)
    assert result.exit_status == 0, result.problems
    for query, rows in (one for job in jobs for one in job.rows):
        assert sorted(await pair.new.fetch(query), key=repr) == sorted(rows, key=repr)


async def _generated(pair: Pair, folder: Path) -> dict[str, Any]:
    await api.analyze(load_config(pair.config(folder)), results_dir=str(folder))
    return await _again(folder)


async def _again(folder: Path) -> dict[str, Any]:
    written = await api.suggest(folder / "migration_changes.json", results_dir=str(folder))
    assert written.path is not None
    made: dict[str, Any] = json.loads(written.path.read_text(encoding="utf-8"))
    return made


def _take(folder: Path, made: dict[str, Any], groups: Sequence[dict[str, list[Any]]]) -> None:
    """Writes a file with these entries and with what stands filled in; open questions are left out."""
    taken: dict[str, list[Any]] = {}
    for group in ({key: _filled_in(entries) for key, entries in made["resolutions"].items()}, *groups):
        for key, entries in group.items():
            taken.setdefault(key, []).extend(entries)
    (folder / "mine.json").write_text(json.dumps({"resolutions": taken}), encoding="utf-8")


def _filled_in(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    asked = [entry for entry in entries if "SPECIFY_" not in str({**entry, "_suggestion": ""})]
    return [entry for entry in asked if entry["action"] != "rename_table"]


async def test_a_file_with_suggestions_decides_nothing_and_loses_those_that_are_taken(
    make_pair: MakePair, tmp_path: Path
) -> None:
    job = JOBS["split"]
    made = await _generated(await make_pair(job.old, job.new), tmp_path)
    assert await _again(tmp_path) == made
    file = tmp_path / "manual_resolutions.json"
    options = MigrateOptions(live=True, resolutions=str(file), results_dir=str(tmp_path))
    with pytest.raises(Refused):
        await api.migrate(load_config(tmp_path / "config.json"), options)
    made["resolutions"] = made["_suggestions"][0]["resolutions"]
    file.write_text(json.dumps(made), encoding="utf-8")
    taken = await api.suggest(tmp_path / "migration_changes.json", results_dir=str(tmp_path))
    assert (taken.shapes, taken.questions) == ({}, ())


KEYS = {
    "integer becomes uuid": (
        """CREATE TABLE orgs (id int PRIMARY KEY); CREATE TABLE staff (id int PRIMARY KEY, org_id int REFERENCES orgs)""",
        """CREATE TABLE orgs (id uuid PRIMARY KEY); CREATE TABLE staff (id uuid PRIMARY KEY, org_id uuid REFERENCES orgs)""",
        "staff",
        [{"action": "new_key", "column": "id", "as": "uuid"}, None],
    ),
    "a code becomes the id of the row that it names": (
        """CREATE TABLE shops (code text PRIMARY KEY); CREATE TABLE visits (id int PRIMARY KEY, shop text REFERENCES shops);
        INSERT INTO shops VALUES ('A'); INSERT INTO visits VALUES (1, 'A')""",
        """CREATE TABLE shops (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL UNIQUE);
        CREATE TABLE visits (id int PRIMARY KEY, shop_id int REFERENCES shops)""",
        "visits",
        [
            {
                "old_column": "shop",
                "new_column": "shop_id",
                "action": "transform",
                "lookup_table": {
                    "table": "shops",
                    "key_column": "code",
                    "value_column": "id",
                    "schema": "public",
                },
            }
        ],
    ),
    "texts fill an empty table of such texts": (
        """CREATE TABLE trips (id int PRIMARY KEY, town text); INSERT INTO trips VALUES (1, 'Rome')""",
        """CREATE TABLE towns (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
        CREATE TABLE trips (id int PRIMARY KEY, town_id int REFERENCES towns)""",
        "trips",
        [
            {
                "old_column": "town",
                "new_column": "town_id",
                "action": "transform",
                "lookup_table": {
                    "table": "towns",
                    "key_column": "name",
                    "value_column": "id",
                    "schema": "public",
                    "add_missing": True,
                },
            }
        ],
    ),
}


async def test_what_keys_say_is_suggested_in_place_of_a_mapping(make_pair: MakePair, tmp_path: Path) -> None:
    old, new = (";".join(one[side] for one in KEYS.values()) for side in (0, 1))
    made = await _generated(await make_pair(old, new), tmp_path)
    for _, _, table, wanted in KEYS.values():
        entries = made["resolutions"][table]
        suggested = [entry.get("_suggestion") for entry in entries]
        found = [one and {k: v for k, v in one.items() if k != "confidence"} for one in suggested]
        assert found == wanted
        assert {entry["action"] for entry in entries} == {"SPECIFY_ACTION"}


async def test_empty_texts_are_not_merged_with_one_another(make_pair: MakePair, tmp_path: Path) -> None:
    pair = await make_pair(
        """CREATE TABLE users (id int PRIMARY KEY, login text, mail text);
        INSERT INTO users VALUES (1, 'a', ''), (2, 'a', ''), (3, '', 'X'), (4, '', 'x')""",
        """CREATE TABLE users (id int PRIMARY KEY, login text UNIQUE, mail text NOT NULL);
        CREATE UNIQUE INDEX users_mail ON users (lower(mail))""",
    )
    made = await _generated(pair, tmp_path)
    by_mail, by_login = made["_suggestions"]
    assert by_login["resolutions"]["users"][0]["key"] == ["nullif(old.login, '')"]
    assert by_mail["resolutions"]["users"][0]["key"] == ["nullif(lower(trim(old.mail)), '')"]
    told = " ".join(by_mail["_evidence"])
    assert "2 rows hold the empty text" in told
    assert "NEW refuses NULL there" in told
