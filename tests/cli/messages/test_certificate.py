"""A certificate is made where all rows are verified, and a program finds what was changed in it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from pathlib import Path

import pytest

from support import MakePair, run_here
from tranship.codec.certificate import BEGIN, END, read_certificate, sealed
from tranship.report.certificate import certificate_page

OLD = """
CREATE TABLE item (id int PRIMARY KEY, name text, kind text);
INSERT INTO item SELECT g, 'name ' || g, 'a' FROM generate_series(1, 200) g; INSERT INTO item VALUES (201, NULL, 'z</script>');
"""
NEW = """
CREATE TYPE kind AS ENUM ('a'); CREATE TABLE item (id int PRIMARY KEY, name text, kind kind, made timestamptz DEFAULT now());
"""
DECISIONS = {"resolutions": {"item": [{"action": "transform", "old_column": "kind", "new_column": "kind"}]}}


@pytest.fixture
def folder(make_pair: MakePair, tmp_path: Path) -> Path:
    """A folder with the configuration of a pair whose rows were moved."""
    pair = asyncio.run(make_pair(OLD, NEW))
    pair.config(tmp_path)
    (tmp_path / "decided.json").write_text(json.dumps(DECISIONS))
    moved = run_here("migrate", "config.json", "--resolutions", "decided.json", "--live", cwd=tmp_path)
    assert moved.status == 1, moved
    return tmp_path


def made(folder: Path) -> Path:
    """The page of the certificate of a verification."""
    done = run_here("verify", "config.json", cwd=folder)
    assert done.status == 0, done
    line = next(line for line in done.stdout.splitlines() if line.startswith("Certificate: "))
    return folder / line.removeprefix("Certificate: ")


def test_it_says_what_was_verified_and_is_checked(folder: Path) -> None:
    page = made(folder)
    for file in (page, page.with_suffix(".json")):
        assert file.stat().st_mode & 0o777 == 0o600
        checked = run_here("verify", "--certificate", file, cwd=folder)
        assert checked.status == 0, checked
        apart = "; except public.item.made (NEW's default now())"
        assert "\n1 row was rejected: NEW does not hold it.\n" in checked.stdout
        assert checked.stdout.endswith(f"Verified 600 of 600 cells{apart}\n")
    assert "All are equal.</p><p>1 row was rejected: NEW does not hold it." in page.read_text()
    document = json.loads(page.with_suffix(".json").read_text())
    (table,) = document["tables"]
    assert (table["read"], table["written"], table["rejected"], table["cells"]) == (201, 200, 1, 600)
    assert table["apart"] == "public.item.made (NEW's default now())"
    (run,) = document["runs"]
    assert run["resolutions"] == "decided.json"
    assert len(run["resolutions_sha256"]) == 64
    text = page.read_text()
    assert text.count(END) == 1
    assert "600 values in NEW were compared" in text


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ('"written":200', '"written":199', "SHA-256"),
        ('"written":200', '"written":199', "accounted for"),
        ("600 values in NEW were compared", "900 values in NEW were compared", "page does not say"),
        ('"cells":600,"columns"', '"cells":601,"columns"', "cells"),
        ('"rejected":1', '"rejected":1,"extra":1', "not a certificate"),
        ('"written":200', '"written":900,"written":200', "not a certificate"),
        ('"not_repeated":""', '"not_repeated":"","more":1', "SHA-256"),
        (BEGIN, "<p>", "not a certificate"),
    ],
)
def test_what_was_changed_is_found(folder: Path, was: str, now: str, said: str) -> None:
    page = made(folder)
    text = page.read_text()
    assert was in text
    page.write_text(text.replace(was, now, 1))
    checked = run_here("verify", "--certificate", page, cwd=folder)
    assert checked.status == (2 if said == "not a certificate" else 5), checked
    assert said in checked.stderr


def test_one_of_another_version_is_as_it_was_made(folder: Path) -> None:
    """It has other members, and its SHA-256 is over those."""
    file = made(folder).with_suffix(".json")
    document = json.loads(file.read_text())
    del document["tables"][0]["second_opinion"]["not_repeated"], document["sha256"]
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    file.write_text(json.dumps({**document, "sha256": sha256}))
    checked = run_here("verify", "--certificate", file, cwd=folder)
    assert checked.status == 0, checked


def test_a_sum_that_is_forged_with_its_hash_is_found(folder: Path) -> None:
    """The hash alone proves no more than that nobody changed the file by accident."""
    page = made(folder)
    certificate = read_certificate(page).certificate
    from msgspec.structs import replace

    forged = sealed(replace(certificate, tables=(replace(certificate.tables[0], written=250),)))
    page.write_text(certificate_page(forged))
    checked = run_here("verify", "--certificate", page, cwd=folder)
    assert (checked.status, "accounted for" in checked.stderr) == (5, True), checked


def test_a_row_that_a_later_run_took_up_counts_once(folder: Path) -> None:
    mapped = {
        "action": "transform",
        "old_column": "kind",
        "new_column": "kind",
        "value_mapping": {"a": "a", "z</script>": "a"},
    }
    (folder / "decided.json").write_text(json.dumps({"resolutions": {"item": [mapped]}}))
    words = ("migrate", "config.json", "--resolutions", "decided.json", "--live", "--rejects-only")
    moved = run_here(*words, cwd=folder)
    assert moved.status == 0, moved
    page = made(folder)
    document = json.loads(page.with_suffix(".json").read_text())
    assert [table["rejected"] for table in document["tables"]] == [1, 0], "each run says what it did"
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.read_text()))
    assert "201 rows 201 written" in text, text
    assert "does not hold" not in text
    assert "Taken up again 1 row that a run rejected, by a later run" in text


def test_none_is_made_where_rows_differ(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())["new_database"]
    url = "postgresql://{username}:{password}@{host}:{port}/{database}".format(**config)

    async def strike() -> None:
        import asyncpg

        conn = await asyncpg.connect(url)
        await conn.execute("DELETE FROM item WHERE id = 5")
        await conn.close()

    asyncio.run(strike())
    done = run_here("verify", "config.json", cwd=folder)
    assert (done.status, "Certificate" in done.stdout) == (5, False), done
    assert not list(folder.glob("results/*certificate*"))
    wrong = run_here("verify", cwd=folder)
    assert wrong.status == 2
