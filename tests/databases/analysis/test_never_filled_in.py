"""What is filled in was tried on all rows, and nothing else fits: everything else stays open."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import CliResult, MakePair

RunCli = Callable[..., CliResult]
Entries = dict[str, dict[str, Any]]


async def _entries(
    make_pair: MakePair,
    run_cli: RunCli,
    folder: Path,
    scripts: tuple[str, str],
    majors: tuple[int, int] | None = None,
) -> Entries:
    """The generated entries by ``table.new column`` (or the old one)."""
    pair = await make_pair(*scripts, majors=majors, template=False)
    assert run_cli("analyze", pair.config(folder)).status == 0
    assert run_cli("resolve", "generate", "results/migration_changes.json").status == 0
    path = folder / "results/manual_resolutions.json"
    if not path.exists():
        return {}
    document = json.loads(path.read_text(encoding="utf-8"))
    return {
        f"{table}.{entry.get('new_column', entry.get('old_column'))}": entry
        for table, entries in document["resolutions"].items()
        for entry in entries
    }


def _suggested(entry: dict[str, Any]) -> Any:
    return entry["_suggestion"] if entry["action"] == "SPECIFY_ACTION" else entry


@pytest.mark.parametrize("majors", [(17, 18), (17, 15)])
async def test_texts_are_tried_before_a_conversion_is_filled_in(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path, majors: tuple[int, int]
) -> None:
    old = """
    CREATE TABLE film (id int PRIMARY KEY, marks text, tags text, braces text, words text, shown text,
        ended text, few text);
    INSERT INTO film SELECT g, g || ' ' || (g + 1), 'a; b' || g, '{' || g || ',2}', 'one' || g || ' two',
      CASE WHEN g % 3 = 0 THEN '0000-00-00' ELSE '2020-01-0' || g END, '2020-02-0' || g,
          '7' FROM generate_series(1, 9) AS g;
    """
    new = """
    CREATE TABLE film (id int PRIMARY KEY, marks bigint[], tags text[], braces int[], words text[],
        shown timestamp, ended date, few int);
    """
    entries = await _entries(make_pair, run_cli, tmp_path, (old, new), majors)
    assert entries["film.marks"]["transform_sql"] == "string_to_array(old.marks, ' ')::bigint[]"
    assert entries["film.braces"]["action"] == entries["film.ended"]["action"] == "transform"
    assert entries["film.few"]["action"] == "transform"
    assert entries["film.tags"]["action"] == entries["film.words"]["action"] == "SPECIFY_ACTION"
    assert _suggested(entries["film.words"])["transform_sql"] == "string_to_array(old.words, ' ')"
    assert entries["film.shown"]["action"] == "SPECIFY_ACTION"
    assert any("3 rows hold values" in line for line in entries["film.shown"]["_evidence"])


async def test_a_label_of_the_parent_is_a_guess_unless_the_name_speaks_of_the_reference(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    old = """
    CREATE TABLE human (id int PRIMARY KEY, handle text NOT NULL UNIQUE);
    CREATE TABLE page (id int PRIMARY KEY, author_id int REFERENCES human);
    CREATE TABLE post (id int PRIMARY KEY, author_id int REFERENCES human);
    INSERT INTO human SELECT g, 'h' || g FROM generate_series(1, 4) AS g;
    INSERT INTO page VALUES (1, 2); INSERT INTO post VALUES (1, 3);
    """
    new = """
    CREATE TABLE human (id int PRIMARY KEY, handle text NOT NULL UNIQUE);
    CREATE TABLE page (id int PRIMARY KEY, handle text);
    CREATE TABLE post (id int PRIMARY KEY, author_handle text);
    """
    entries = await _entries(make_pair, run_cli, tmp_path, (old, new))
    assert entries["page.handle"]["action"] == "SPECIFY_ACTION"
    assert entries["post.author_handle"]["action"] == "transform"


async def test_no_constant_beside_an_old_column_of_the_family_that_has_no_place(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    old = """
    CREATE TABLE booking (id int PRIMARY KEY, worth numeric NOT NULL, day date);
    INSERT INTO booking SELECT g, g * 1.5, '2020-01-01' FROM generate_series(1, 9) AS g;
    """
    new = """
    CREATE TABLE booking (id int PRIMARY KEY, day date, worth_local numeric NOT NULL,
        worth_foreign numeric NOT NULL, rank int NOT NULL);
    """
    entries = await _entries(make_pair, run_cli, tmp_path, (old, new))
    for name in ("booking.worth_local", "booking.worth_foreign"):
        assert entries[name]["action"] == "SPECIFY_ACTION"
        assert _suggested(entries[name])["action"] == "transform"
        assert any("'worth_local', 'worth_foreign'" in line for line in entries[name]["_evidence"])
    assert entries["booking.rank"]["_suggestion"]["default_value"] == "0"


@pytest.mark.parametrize(("zone", "filled"), [("Asia/Tokyo", False), ("UTC", True)])
async def test_a_zone_that_the_data_cannot_tell_is_open(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path, zone: str, filled: bool
) -> None:
    old = f"""
    DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''{zone}''', current_database()); END $$;
    CREATE TABLE visit (id int PRIMARY KEY, at timestamp, back timestamptz);
    INSERT INTO visit VALUES (1, '2024-05-05 10:00', '2024-05-05 10:00+00');
    """
    new = "CREATE TABLE visit (id int PRIMARY KEY, at timestamptz, back timestamp);"
    entries = await _entries(make_pair, run_cli, tmp_path, (old, new))
    for name in ("at", "back"):
        entry = entries[f"visit.{name}"]
        assert (entry["action"] == "transform") is filled
        assert any(f"old.{name} AT TIME ZONE 'UTC'" in line for line in entry["_evidence"]) is not filled


async def test_money_is_measured_as_the_number_that_is_sent(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    old = """
    CREATE TABLE fee (id int PRIMARY KEY, small money, large money);
    INSERT INTO fee VALUES (1, '1.50', '1234567.00'), (2, '-99.994', '2.00'), (3, NULL, NULL);
    """
    new = "CREATE TABLE fee (id int PRIMARY KEY, small numeric(4,2), large numeric(6,2));"
    entries = await _entries(make_pair, run_cli, tmp_path, (old, new))
    assert entries["fee.small"]["action"] == "transform"
    assert entries["fee.large"]["action"] == "SPECIFY_ACTION"
    assert any(line.startswith("1 row") for line in entries["fee.large"]["_evidence"])
    assert _suggested(entries["fee.large"])["action"] == "transform"


async def test_a_rename_that_something_speaks_against_is_not_filled_in(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    old = """
    CREATE TABLE contact (first_seen int, mark char(2) NOT NULL, number int, mobile varchar(40),
        last_seen int, id int PRIMARY KEY);
    INSERT INTO contact SELECT g, 'ab', g, '0123', g, g FROM generate_series(1, 9) AS g;
    """
    new = """
    CREATE TABLE contact (first_seen int, remark text NOT NULL, number int, website varchar(40),
        last_seen int, id int PRIMARY KEY);
    """
    entries = await _entries(make_pair, run_cli, tmp_path, (old, new))
    assert {entry["action"] for entry in entries.values()} == {"SPECIFY_ACTION"}
    assert any("different things" in line for line in entries["contact.website"]["_evidence"])
    assert any("room for texts" in line for line in entries["contact.remark"]["_evidence"])


async def test_a_glued_name_is_the_name_with_separators(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    old = """
    CREATE TABLE worker (id int PRIMARY KEY, resthours smallint, sharepercent numeric, tokenhash varchar(60),
        utcstart timestamp);
    INSERT INTO worker SELECT g, g, g * 0.01, md5(g::text), now() FROM generate_series(1, 9) AS g;
    """
    new = """
    CREATE TABLE worker (id int PRIMARY KEY, rest_hours smallint, share_percent numeric,
        token_hash varchar(60), utc_start timestamp);
    """
    assert await _entries(make_pair, run_cli, tmp_path, (old, new)) == {}


async def test_codes_numbers_and_generated_columns_are_compared_with_the_data(
    make_pair: MakePair, run_cli: RunCli, tmp_path: Path
) -> None:
    old = """
    CREATE TABLE item (id int PRIMARY KEY, zip int, code text, plain text, amount int, price int, total int,
        net int, gross int, made int);
    INSERT INTO item SELECT g, 1060 + g, '00' || g, g::text, g, 3, g * 3, g, g + 1, g FROM generate_series(1, 9) AS g;
    UPDATE item SET total = 7 WHERE id = 5;
    """
    new = """
    CREATE FUNCTION only_here(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';
    CREATE TABLE item (id int PRIMARY KEY, zip char(5), code int, plain int, quantity int, price int,
        total int GENERATED ALWAYS AS (quantity * price) STORED, net int,
        gross int GENERATED ALWAYS AS (net + 1) STORED, made int GENERATED ALWAYS AS (only_here(net)) STORED);
    """
    entries = await _entries(make_pair, run_cli, tmp_path, (old, new))
    assert entries["item.zip"]["action"] == entries["item.code"]["action"] == "SPECIFY_ACTION"
    assert _suggested(entries["item.zip"])["transform_sql"] == (
        "CASE WHEN old.zip BETWEEN 0 AND 99999 THEN lpad(old.zip::text, 5, '0') ELSE 'not a code of 5 digits: ' || old.zip END"
    )
    assert "tried on 9 rows: 9 (100 %) fit exactly" in entries["item.zip"]["_evidence"]
    assert entries["item.plain"]["action"] == "transform"
    said = {name: entry["_evidence"][-1] for name, entry in entries.items()}
    assert said["item.gross"] == "OLD's value is the one that NEW computes in all 9 rows"
    assert said["item.made"].startswith("it is not known how many")
    lost = "with 'ignore' these are lost: '7'"
    assert said["item.total"] == f"OLD holds another value than NEW computes in 1 of 9 rows: {lost}"
