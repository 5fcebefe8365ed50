"""The studio as people use it, and as an attacker would."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import ROOT, MakePair, Pair
from support.studio import Running, Visitor, studio

RESOLUTIONS = "results/manual_resolutions.json"
IGNORE = {"action": "ignore", "old_column": "fax"}
ON_OFF = {"action": "transform", "old_column": "state", "new_column": "state"}


@pytest.fixture
def running(hostile: Pair, tmp_path: Path) -> Iterator[Running]:
    """A studio without live runs."""
    with studio(tmp_path, "config.json") as made:
        yield made


def entries(folder: Path) -> list[Any]:
    """All entries of the file."""
    document = json.loads((folder / RESOLUTIONS).read_text(encoding="utf-8"))
    return [entry for own in document["resolutions"].values() for entry in own]


def finished(visitor: Visitor) -> Any:
    """The run, once it has ended."""
    while (run := visitor.read("/api/run").json["run"])["running"]:
        pass
    return run


def test_questions_are_answered_tried_and_run(running: Running, tmp_path: Path, hostile: Pair) -> None:
    ann = running.enter("Ann")
    state = ann.state
    assert (state["person"]["name"], state["person"]["role"]) == ("Ann", "editor")
    assert any("3 distinct values" in fact for fact in ann.question("state")["evidence"])
    (drawing,) = state["drawings"]
    assert {cell["name"]: cell["tone"] for cell in drawing["left"]}["state"] == "bad"

    wrong = ann.write("/api/check", ann.given("fax", {"action": "ignor", "old_column": "fax"}))
    assert "did you mean 'ignore'?" in wrong.json["problems"][0]["hint"]
    placeholder = ann.given("state", json.loads(ann.question("state")["suggestion_text"]))
    message = ann.write("/api/answer", placeholder).json["problems"][0]["message"]
    assert "SPECIFY_" in message
    assert "the new value of '" in message, "it names what is left to say"

    sql = {**ON_OFF, "transform_sql": "CASE old.state WHEN 'gone' THEN 'of' ELSE old.state END"}
    (table,) = ann.write("/api/try", ann.given("state", sql)).json["tables"]
    assert len(table["rows"]) == 10
    assert [column["name"] for column in table["columns"]] == ["state"]
    assert {row["after"][0]["text"] for row in table["rows"] if row["after"][0]["note"]} == {"of"}

    sql["transform_sql"] = "CASE old.state WHEN 'gone' THEN 'off' ELSE old.state END"
    for about, fields in (
        ("state", sql),
        ("fax", IGNORE),
        ("s<b>cratch", {"action": "drop_table"}),
        ("<img src=x onerror=alert(1)>", {"action": "ignore", "old_column": "<img src=x onerror=alert(1)>"}),
    ):
        saved = ann.write("/api/answer", ann.given(about, fields, because="as agreed"))
        assert saved.status == 200, saved
    assert {entry["_decided"]["by"] for entry in entries(tmp_path)} == {"Ann"}
    assert {entry["because"] for entry in entries(tmp_path)} == {"as agreed"}
    assert not [problem for problem in ann.state["problems"] if not problem["warning"]]
    (shown,) = ann.write("/api/preview", {"table": "users"}).json["tables"]
    assert len(shown["rows"]) == 10

    assert ann.write("/api/dry-run", {}).status == 200
    run = finished(ann)
    assert run["exit_status"] == 0, run
    assert any("Total rows migrated: 30" in line for line in run["lines"])
    assert Path(tmp_path, run["log"]).stat().st_mode & 0o777 == 0o600
    assert asyncio.run(hostile.new.value("SELECT count(*) FROM users")) == 0


def test_two_editors_do_not_overwrite_each_other(running: Running, tmp_path: Path) -> None:
    ann, eve = running.enter("Ann"), running.enter("Eve")
    mine, hers = ann.given("fax", IGNORE), eve.given("s<b>cratch", {"action": "drop_table"})
    assert ann.write("/api/answer", mine).status == 200
    before = (tmp_path / RESOLUTIONS).read_bytes()
    refused = eve.write("/api/answer", hers)
    assert refused.status == 409
    assert 'became "ignore" by Ann' in refused.json["problems"][0]["message"]
    assert (tmp_path / RESOLUTIONS).read_bytes() == before
    # Somebody changes the file without the studio.
    hers = eve.given("s<b>cratch", {"action": "drop_table"})
    (tmp_path / RESOLUTIONS).write_bytes(before.replace(b'"ignore",', b'"ignore", // sure'))
    refused = eve.write("/api/answer", hers)
    assert refused.status == 409 and "comments" in refused.json["problems"][0]["message"]
    assert eve.write("/api/answer", eve.given("s<b>cratch", {"action": "drop_table"})).status == 200


def test_a_link_works_once_and_the_cookie_is_kept_from_others(running: Running) -> None:
    ann = running.enter("Ann")
    again = running.ask("GET", running.links["Ann"].partition(f":{running.port}")[2])
    assert again.status == 403 and "set-cookie" not in again.headers
    reply = running.ask("GET", running.links["Bob"].partition(f":{running.port}")[2])
    attributes = reply.headers["set-cookie"].lower().split("; ")[1:]
    assert {"httponly", "samesite=strict", "path=/"} <= set(attributes)
    assert len(ann.cookie) > 40


@pytest.mark.parametrize(
    "guess", ["", "x", "A" * 43, "%00", "x" * 5000, "../../etc/passwd", "'; DROP TABLE users; --"]
)
def test_guessed_secrets_lead_nowhere(running: Running, guess: str) -> None:
    assert running.ask("GET", f"/enter?link={guess.replace(' ', '+')}").status == 403
    for path in ("/", "/api/state", "/api/run", "/api/status"):
        cookie = {"Cookie": f"tranship_studio={guess}"} if guess.isprintable() else {}
        reply = running.ask("GET", path, headers=cookie)
        assert reply.status in (401, 403)
        assert b"users" not in reply.body


def test_every_response_says_how_it_may_be_used(running: Running) -> None:
    ann = running.enter("Ann")
    replies = [ann.read(path) for path in ("/", "/studio.js", "/studio.css", "/api/state", "/nowhere")]
    replies += [running.ask("GET", "/", headers={"Host": "evil.example"}), running.ask("PUT", "/")]
    for reply in replies:
        policy = reply.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "*" not in policy
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in reply.headers
        assert "server" not in reply.headers
    assert b"<script>" not in replies[0].body and b"style=" not in replies[0].body


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", "[::1]:{port}", ""]
)
def test_a_name_that_leads_to_the_loopback_is_refused(running: Running, host: str) -> None:
    ann = running.enter("Ann")
    headers = {"Cookie": ann.cookie, "Host": host.format(port=running.port)}
    reply = running.ask("GET", "/api/state", headers=headers)
    assert reply.status in (400, 421)
    assert b"users" not in reply.body
    named = {"Cookie": ann.cookie, "Host": f"localhost:{running.port}"}
    assert running.ask("GET", "/api/state", headers=named).status == 200


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Origin": None}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "https://127.0.0.1:{port}"}, 403),
        ({"Origin": "http://127.0.0.1:{port}.evil.example"}, 403),
        ({"X_CSRF_Token": None}, 403),
        ({"X_CSRF_Token": "guessed"}, 403),
        ({"Cookie": None}, 401),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_a_write_of_another_site_is_refused(
    running: Running, tmp_path: Path, changed: dict[str, str | None], status: int
) -> None:
    ann = running.enter("Ann")
    before = (tmp_path / RESOLUTIONS).read_bytes()
    given = {k: v.format(port=running.port) if v else v for k, v in changed.items()}
    headers = {k.replace("_", "-"): v for k, v in given.items()}
    answer = ann.given("fax", IGNORE)
    whole = {**ann.headers, **headers}
    for path, body in (("/api/answer", answer), ("/api/dry-run", {}), ("/api/live-run", {"database": "x"})):
        sent = {name: value for name, value in whole.items() if value is not None}
        assert running.ask("POST", path, json.dumps(body), sent).status == status
    assert (tmp_path / RESOLUTIONS).read_bytes() == before
    assert ann.read("/api/run").json["run"] is None
    for method in ("GET", "PUT", "DELETE", "OPTIONS"):
        assert running.ask(method, "/api/answer", headers={"Cookie": ann.cookie}).status in (405, 404)


def test_bodies_are_bounded_and_understood(running: Running) -> None:
    ann = running.enter("Ann")
    headers = ann.headers
    # The announcement of a large body is enough.
    assert running.begin("/api/answer", {**headers, "Content-Length": str(2 << 20)}) == 413
    assert running.begin("/api/answer", {**headers, "Content-Length": "9" * 30}) in (400, 413)
    assert running.begin("/api/answer", {**headers, "Content-Length": "-1"}) in (400, 413)
    chunk = b"10000\r\n" + b" " * (1 << 16) + b"\r\n"
    assert running.begin("/api/check", {**headers, "Transfer-Encoding": "chunked"}, chunk * 17) == 413
    for body in (b"", b"{", b"[]", b'{"place": 1}', b"\xff", b"[" * 100_000):
        assert running.ask("POST", "/api/answer", body, headers).status == 400, body[:20]
    for fields in ("", "[1]", "{", '{"a": 1, "a": 2}', "[" * 5000):
        given = {"place": "$.resolutions.users[0]", "fields": fields, "how": "fields"}
        assert ann.write("/api/check", given).status in (400, 422), fields[:20]
    assert ann.state["questions"], "the studio still answers"


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/studio.js/../../app.py",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/static/page.html",
        "//etc/passwd",
        "/page.html",
    ],
)
def test_no_path_of_a_request_is_a_file(running: Running, path: str) -> None:
    ann = running.enter("Ann")
    reply = ann.read(path)
    assert reply.status == 404
    assert b"root:" not in reply.body and b"import" not in reply.body


def test_expressions_keep_to_the_rules(running: Running, hostile: Pair) -> None:
    ann = running.enter("Ann")
    for sql, code in (
        ("now()::text", "TS339"),
        ("pg_sleep(60)::text", "TS339"),
        ("pg_read_file('/etc/passwd')", "TS339"),
        ("old.state); DROP TABLE public.users; --", "TS3"),
        ("(SELECT 'x' FROM nowhere)", "TS3"),
    ):
        given = ann.given("state", {**ON_OFF, "transform_sql": sql})
        reply = ann.write("/api/try", given)
        assert reply.status == 422, (sql, reply)
        assert reply.json["problems"][0]["code"].startswith(code), (sql, reply)
    long = "(SELECT max(n)::text FROM generate_series(1, 1000000000000) AS n WHERE n::text <> old.state)"
    reply = ann.write("/api/try", ann.given("state", {**ON_OFF, "transform_sql": long}))
    (table,) = reply.json["tables"]
    assert table["rows"] == [] and "longer than 5 s" in table["notes"][0]
    assert asyncio.run(hostile.old.value("SELECT count(*) FROM users")) == 30


def test_a_live_run_needs_leave_an_approver_and_the_name(running: Running, hostile: Pair) -> None:
    bob = running.enter("Bob")
    reply = bob.write("/api/live-run", {"database": hostile.new.name})
    assert (reply.status, reply.json["problems"][0]["code"]) == (422, "TS143")
    assert not bob.state["may_run_live"]


def test_a_live_run_survives_the_studio(make_pair: MakePair, tmp_path: Path) -> None:
    pair = asyncio.run(
        make_pair(
            "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000);",
            "CREATE TABLE t (id int PRIMARY KEY);",
        )
    )
    pair.config(tmp_path)
    with studio(tmp_path, "config.json", "--allow-live") as running:
        ann, bob = running.enter("Ann"), running.enter("Bob")
        assert ann.write("/api/live-run", {"database": pair.new.name}).status == 422
        wrong = bob.write("/api/live-run", {"database": pair.old.name})
        assert "is not the name" in wrong.json["problems"][0]["message"]
        reply = bob.write("/api/live-run", {"database": pair.new.name})
        assert reply.status == 200 and reply.json["run"]["live"], reply
        log = tmp_path / reply.json["run"]["log"]
    assert running.process.returncode in (0, 130)
    while "Total rows migrated" not in log.read_text(encoding="utf-8"):
        pass
    assert "Total rows migrated: 1000" in log.read_text(encoding="utf-8")
    assert asyncio.run(pair.new.value("SELECT count(*) FROM t")) == 1000
    with studio(tmp_path, "config.json") as again:
        runs = again.enter("Ann").read("/api/status").json["runs"]
        assert [(run["state"], run["handled"]) for run in runs] == [("finished", 1000)]


def test_without_the_extra_the_command_says_what_to_install(tmp_path: Path) -> None:
    for name in ("starlette", "uvicorn"):
        block = f"import sys; sys.modules['{name}'] = None; from tranship.cli import main; sys.exit(main())"
        said = subprocess.run(
            [sys.executable, "-c", block, "studio", "config.json"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert said.returncode == 2
        assert "TS141" in said.stderr and "pip install 'tranship[studio]'" in said.stderr, said


def test_invitations_name_a_role(tmp_path: Path) -> None:
    for given in ("owner:Ann", "editor", "editor:", "editor: "):
        said = subprocess.run(
            [sys.executable, "-m", "tranship", "studio", "config.json", "--invite", given],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert said.returncode == 2 and "TS142" in said.stderr


def test_the_core_does_not_import_the_libraries_of_the_studio() -> None:
    script = "import sys, tranship.cli, tranship.api; print([m for m in sys.modules if 'starlette' in m or 'uvicorn' in m])"
    said = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert said.stdout.strip() == "[]"


def added(visitor: Visitor, key: str, fields: dict[str, object], **more: object) -> dict[str, object]:
    """One more decision, as the page sends it."""
    return {
        "key": key,
        "fields": json.dumps(fields),
        "how": "choice",
        "version": visitor.state["version"],
        **more,
    }


def test_a_filter_is_tried_on_ten_rows_and_added(running: Running, tmp_path: Path) -> None:
    ann = running.enter("Ann")
    ann.write("/api/answer", ann.given("fax", IGNORE))
    kept = {"action": "filter", "where": "old.id > 25"}
    for about, fields in (
        ("state", {**ON_OFF, "transform_sql": "CASE old.state WHEN 'gone' THEN 'off' ELSE old.state END"}),
        ("<img src=x onerror=alert(1)>", {"action": "ignore", "old_column": "<img src=x onerror=alert(1)>"}),
    ):
        assert ann.write("/api/answer", ann.given(about, fields)).status == 200
    (table,) = ann.write("/api/try", added(ann, "users", kept)).json["tables"]
    assert [row["before"][table["old_columns"].index("id")]["text"] for row in table["rows"]] == [
        str(number) for number in range(26, 31)
    ]
    before = (tmp_path / RESOLUTIONS).read_bytes()
    for wrong in (
        {"action": "filter"},
        {"action": "fliter", "where": "true"},
        {"action": "merge", "key": []},
    ):
        assert ann.write("/api/check", added(ann, "users", wrong)).json["problems"], wrong
        assert ann.write("/api/answer", added(ann, "users", wrong)).status == 422, wrong
    assert ann.write("/api/answer", added(ann, "nobody", kept)).status == 422
    assert ann.write("/api/try", added(ann, "users", {**kept, "where": "now() > '2001-01-01'"})).status == 422
    assert (tmp_path / RESOLUTIONS).read_bytes() == before
    stale = added(ann, "users", kept)
    assert ann.write("/api/answer", {**stale, "because": "old ones stay"}).status == 200
    assert ann.write("/api/answer", stale).status == 409, "somebody answered meanwhile"
    (mine,) = [one for one in ann.state["questions"] if one["answer"] == "filter"]
    assert mine["decided"].startswith("Ann, ") and mine["because"] == "old ones stay"
    assert "old.id > 25" in mine["text"]
    assert [one["asked"] for one in ann.state["questions"] if one is not mine].count(False) == 1
    assert ann.write("/api/dry-run", {}).status == 200
    assert finished(ann)["exit_status"] in (1, 3)


ALIKE_OLD = "".join(f"CREATE TABLE t{n} (id int PRIMARY KEY, gone text, code varchar(9));" for n in range(4))
ALIKE_OLD += "INSERT INTO t0 SELECT g, 'x', 'far too long'::varchar(9) FROM generate_series(1, 30) g;"
ALIKE_NEW = "".join(
    f"CREATE TABLE t{n} (id int PRIMARY KEY, code varchar(4), size int NOT NULL);" for n in range(4)
)


@pytest.fixture
def alike(make_pair: MakePair, tmp_path: Path) -> Iterator[Running]:
    """A studio about four tables that ask alike."""
    pair = asyncio.run(make_pair(ALIKE_OLD, ALIKE_NEW))
    pair.config(tmp_path)
    with studio(tmp_path, "config.json") as made:
        yield made


def test_questions_that_ask_alike_are_answered_together(alike: Running, tmp_path: Path) -> None:
    ann = alike.enter("Ann")
    sizes = [one for one in ann.state["questions"] if one["new_column"] == "size"]
    assert len(sizes) == 4 and len({one["like"] for one in sizes}) == 1 and sizes[0]["like"]
    given = ann.given("size", {"action": "default", "default_value": "0"}, how="choice")
    others = [one["place"] for one in sizes if one["place"] != given["place"]]
    before = (tmp_path / RESOLUTIONS).read_bytes()
    left = json.dumps({"action": "default", "default_value": "SPECIFY_DEFAULT_VALUE"})
    assert ann.write("/api/answer", {**given, "fields": left, "also": others}).status == 422
    assert ann.write("/api/answer", {**given, "also": [*others, "$.resolutions.nobody[0]"]}).status == 409
    assert (tmp_path / RESOLUTIONS).read_bytes() == before, "all of them or none"
    assert ann.write("/api/answer", {**given, "also": others}).status == 200
    after = [one for one in ann.state["questions"] if one["new_column"] == "size"]
    assert all(one["answer"] == "default" and one["decided"].startswith("Ann") for one in after)
    # Each suggestion is accepted with the columns of its own question.
    codes = [one for one in ann.state["questions"] if one["old_column"] == "code"]
    places = [one["place"] for one in codes]
    stale = {"places": places, "version": ann.state["version"]}
    assert ann.write("/api/accept", stale).status == 200
    assert ann.write("/api/accept", stale).status == 409
    accepted = [one for one in ann.state["questions"] if one["old_column"] == "code"]
    assert [one["table"] for one in accepted if not one["open"]] == [one["table"] for one in codes]


def test_a_run_shows_its_rejects_by_cause_and_a_verified_one_its_certificate(
    alike: Running, tmp_path: Path
) -> None:
    ann = alike.enter("Ann")
    assert ann.read("/api/result").json == {"result": None}
    for column, fields in (
        ("size", {"action": "default", "default_value": "0"}),
        ("code", {"action": "transform", "new_column": "code"}),
        ("gone", {"action": "ignore"}),
    ):
        asked = [one for one in ann.state["questions"] if column in (one["old_column"], one["new_column"])]
        first, *others = [one["place"] for one in asked]
        given = {
            "place": first,
            "fields": json.dumps(fields),
            "how": "choice",
            "version": ann.state["version"],
        }
        reply = ann.write("/api/answer", {**given, "also": others})
        assert reply.status == 200, reply
    assert ann.write("/api/dry-run", {}).status == 200
    assert finished(ann)["exit_status"] == 1
    result = ann.read("/api/result").json["result"]
    assert result["verdict"] == "0 rows would be written, 30 rejected."
    (cause,) = result["causes"]
    assert "too long (22001): 30 rows" in cause and "'far too l' (30)" in cause
    assert len(result["rejects"]) == 20 and result["rejects"][0]["key"] == '{"id": 1}'
    assert Path(tmp_path, result["rejects_file"]).exists()
    assert result["rejects_held"] == f"All of them: {result['rejects_file']}"
    assert [name for name, _ in result["facts"]] == ["Ended as"], (
        "a dry run is on no record and has no number"
    )
    assert result["headings"] == ["Table", "Read", "To write", "Rejected", "Left out"]
    assert result["tables"][0] == ["public.t0", "30", "0", "30", "0"]
    assert ann.write("/api/verify", {}).status == 200
    assert finished(ann)["exit_status"] == 2, "no run is on record"
    assert ann.read("/api/result").json == {"result": None}
