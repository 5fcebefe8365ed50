"""The configuration: every form of a place, every error with its path and line,
and no secret in any of them.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from support import ROOT
from tranship.config import Config, Endpoint, Secret, config_from_urls, load_config
from tranship.config.libpq import ENVIRONMENT
from tranship.errors import UsageError

CLASSIC = """{
  // the classic form
  "_note": "a comment", "_note": "and another",
  "old_database": {"host": "old-server", "port": 5432, "database": "mydb", "username": "reader",
      "password": "${OLD_PASSWORD}",
                   "schema": "public", "sslmode": "prefer"},
  "new_database": {"host": "new-server", "port": "6543", "database": "mydb", "username": "writer",
      "password": "a$${b}",
                   "schema": ["a", "b"], "sslmode": "verify-full", "sslrootcert": "ca.pem"},
  "tables": ["parent_table", "child_table"],
  "table_mapping": {"users": "app_users", "_": "nothing"}
}
"""


def load(folder: Path, text: str, **environ: str) -> Config:
    file = folder / "config.json"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    return load_config(file, {"HOME": str(folder), **environ})


def error(folder: Path, text: str, **environ: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load(folder, text, **environ)
    assert "hunter2" not in caught.value.message + caught.value.hint + repr(caught.value)
    return caught.value


def old_side(folder: Path, old: str, **environ: str) -> Endpoint:
    return load(
        folder,
        f'{{"old_database": {old}, "new_database": {{"host": "h", "database": "d", "username": "u"}}}}',
        **environ,
    ).old


def old_error(folder: Path, old: str, **environ: str) -> UsageError:
    return error(
        folder,
        f'{{"old_database": {old},\n"new_database": {{"host": "h", "database": "d", "username": "u"}}}}',
        **environ,
    )


def test_classic_form(tmp_path: Path) -> None:
    config = load(tmp_path, CLASSIC, OLD_PASSWORD="s3cret")
    assert config.old.display == "old-server:5432/mydb"
    assert config.old.password == Secret("s3cret")
    assert config.new.password == Secret("a${b}")
    assert config.new.port == 6543
    assert (config.old.schemas, config.new.schemas) == (("public",), ("a", "b"))
    assert config.new.sslmode == "verify-full"
    assert config.tables == ("parent_table", "child_table")
    assert config.table_mapping == (("users", "app_users"),)
    assert config.journal_schema == "_tranship"


def test_secrets_cannot_be_shown(tmp_path: Path) -> None:
    config = load(tmp_path, CLASSIC, OLD_PASSWORD="s3cret")
    assert "s3cret" not in repr(config) + str(config) + f"{config.old.password}"
    with pytest.raises(TypeError):
        pickle.dumps(config.old.password)


@pytest.mark.parametrize(
    ("url", "host", "port", "database", "user", "password"),
    [
        ("postgresql://u:p@h:1234/d", "h", 1234, "d", "u", "p"),
        ("postgres://u%40server:p%40ss%3A%2Fw%25rd@h/d%20b", "h", 5432, "d b", "u@server", "p@ss:/w%rd"),
        ("postgresql://u@[::1]:5433/d", "::1", 5433, "d", "u", None),
        ("postgresql://u@%2Fvar%2Frun:5433/d", "/var/run", 5433, "d", "u", None),
        ("postgresql:///d?host=/tmp/x&port=7&user=u&password=a%26b", "/tmp/x", 7, "d", "u", "a&b"),
        ("postgresql://u:@h", "h", 5432, "u", "u", ""),
    ],
)
def test_urls(
    tmp_path: Path, url: str, host: str, port: int, database: str, user: str, password: str | None
) -> None:
    side = old_side(tmp_path, f'{{"url": "{url}"}}')
    assert (side.host, side.port, side.database, side.user) == (host, port, database, user)
    assert side.password == (None if password is None else Secret(password))


def test_url_parameters(tmp_path: Path) -> None:
    side = old_side(
        tmp_path,
        '{"url":'
        ' "postgresql://u@h/d?sslmode=verify-ca&sslrootcert=a.pem&connect_timeout=3&options=-c%20x%3Dy"}',
    )
    assert (side.sslmode, side.sslrootcert, side.connect_timeout, side.options) == (
        "verify-ca",
        "a.pem",
        3.0,
        "-c x=y",
    )


@pytest.mark.parametrize(
    ("old", "part"),
    [
        ('{"url": "mysql://u:hunter2@h/d"}', "$.old_database.url"),
        ('{"url": "postgresql://u:hunter2/x@h/d"}', "cannot be read"),
        ('{"url": "postgresql://u:hunter2%@h/d"}', "two hexadecimal digits"),
        ('{"url": "postgresql://u@h1,h2/d"}', "several hosts"),
        ('{"url": "postgresql://u@h/d?sslmod=require"}', "unknown connection parameter"),
        ('{"url": "postgresql://u@h/d", "host": "other"}', "differ"),
        ('{"host": "h", "username": "u", "database": "d", "pasword": "hunter2"}', "unknown key"),
        ('{"host": "h", "username": "u", "database": "d", "port": "54x"}', "$.old_database.port"),
        ('{"host": "h", "username": "u", "database": "d", "port": 5432.5}', "whole number"),
        ('{"host": "h", "username": "u", "database": "d", "port": 0}', "whole number"),
        ('{"host": "h", "username": "u", "database": "d", "sslmode": "requir"}', "unknown sslmode"),
        ('{"host": "h", "username": "u", "database": "d", "schema": []}', "empty"),
        ('{"host": "h", "username": "u", "database": "d", "schema": ["a", "a"]}', "twice"),
        ('{"host": "h", "username": "u", "database": "d", "password": 123}', "a number"),
        (
            '{"host": "h", "username": "u", "database": "d", "password": "hunter2${NO"}',
            "environment variable",
        ),
        (
            '{"host": "h", "username": "u", "database": "d", "password": "hunter2",'
            ' "password_command": "true"}',
            "both given",
        ),
        ('{"host": "h,i", "username": "u", "database": "d"}', "several hosts"),
        ('"postgresql://u:hunter2@h/d"', "$.old_database"),
        ('{"service": "nowhere"}', "not defined"),
    ],
)
def test_wrong_places(tmp_path: Path, old: str, part: str) -> None:
    assert part in old_error(tmp_path, old).message


def test_nearest_key_line_and_path(tmp_path: Path) -> None:
    found = error(tmp_path, '{\n // one\n "old_database": {\n  "hots": "x"},\n "new_database": {}}')
    assert ":4: $.old_database.hots: unknown key" in found.message
    assert "'host'" in found.hint


def test_missing_variable(tmp_path: Path) -> None:
    found = old_error(tmp_path, '{"host": "h",\n "password": "${NOT_THERE}"}')
    assert found.code == "TS109"
    assert ":2: $.old_database.password: the environment variable NOT_THERE is not set" in found.message


def test_host_never_from_environment_for_both(tmp_path: Path) -> None:
    both = (
        '{"old_database": {"database": "a", "username": "u"}, "new_database": {"database":'
        ' "b", "username": "u"}}'
    )
    assert "PGHOST" in error(tmp_path, both, PGHOST="h").message
    both = '{"old_database": {"host": "a", "username": "u"}, "new_database": {"host": "b", "username": "u"}}'
    assert "PGDATABASE" in error(tmp_path, both, PGDATABASE="h").message
    assert old_side(tmp_path, '{"username": "u"}', PGHOST="only", PGDATABASE="one").display == "only:5432/one"


def test_environment_and_password_file(tmp_path: Path) -> None:
    passfile = tmp_path / "pass"
    passfile.write_text("# c\nh:5432:d:u:a\\:b\\\\c\n*:*:*:*:other\n")
    passfile.chmod(0o600)
    side = old_side(
        tmp_path,
        '{"host": "h", "database": "d"}',
        PGUSER="u",
        PGPASSFILE=str(passfile),
        PGSSLMODE="require",
        PGSSLROOTCERT="r",
    )
    assert side.password == Secret("a:b\\c")
    assert (side.sslmode, side.sslrootcert) == ("require", "r")
    passfile.chmod(0o644)
    assert (
        old_side(tmp_path, '{"host": "h", "database": "d"}', PGUSER="u", PGPASSFILE=str(passfile)).password
        is None
    )


def test_service_file(tmp_path: Path) -> None:
    (tmp_path / ".pg_service.conf").write_text(
        "[other]\nhost=x\n[mine]\n# c\nhost=sh\nport=99\ndbname=sd\nuser=su\npassword=p=%q\n[end]\n"
    )
    side = old_side(tmp_path, '{"service": "mine", "port": 100}')
    assert (side.host, side.port, side.database, side.user, side.password) == (
        "sh",
        100,
        "sd",
        "su",
        Secret("p=%q"),
    )


def test_password_command(tmp_path: Path) -> None:
    base = '{"host": "h", "database": "d", "username": "u", "password_command": '
    assert old_side(tmp_path, base + "\"printf 'a b\\\\n'\"}").password.reveal() == "a b"
    assert old_side(tmp_path, base + '["printf", "%s", "x y"]}').password.reveal() == "x y"
    assert "status 3" in old_error(tmp_path, base + '"exit 3"}').message
    assert "no password" in old_error(tmp_path, base + '"true"}').message
    assert "cannot be run" in old_error(tmp_path, base + '["/no/such/thing"]}').message


def test_tables_empty(tmp_path: Path) -> None:
    found = error(tmp_path, CLASSIC.replace('["parent_table", "child_table"]', "[]"), OLD_PASSWORD="x")
    assert "No tables to migrate" in found.message
    assert "schema 'public', OLD database 'mydb'" in found.message
    assert found.hint == "leave the key out for all"


def test_plain_password_readable_by_others(tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    file.write_text(CLASSIC.replace("a$${b}", "plain"))
    file.chmod(0o644)
    (warning,) = load_config(file, {"OLD_PASSWORD": "x", "HOME": str(tmp_path)}).warnings
    assert "chmod 600" in warning
    file.chmod(0o600)
    assert load_config(file, {"OLD_PASSWORD": "x", "HOME": str(tmp_path)}).warnings == ()


@pytest.mark.parametrize(
    "text", ["[]", "1", '{"old_database": {}}', '{"old_database": 1, "new_database": {}}']
)
def test_wrong_shapes(tmp_path: Path, text: str) -> None:
    error(tmp_path, text)


@pytest.mark.parametrize("port", ["true", "[5432]"])
def test_a_port_is_a_number(tmp_path: Path, port: str) -> None:
    assert (
        "$.old_database.port: a whole number is expected here"
        in old_error(tmp_path, f'{{"host": "h", "port": {port}}}').message
    )


def test_the_journal_lies_beside_the_data(tmp_path: Path) -> None:
    told = error(tmp_path, CLASSIC.replace('"tables":', '"journal_schema": "b", "tables":'), OLD_PASSWORD="x")
    assert "$.journal_schema: 'b' is a schema of the data" in told.message


@pytest.mark.parametrize(
    ("name", "fits"), [("j" * 63, True), ("j" * 64, False), ("é" * 31, True), ("é" * 32, False)]
)
def test_the_journal_has_a_name_that_the_server_can_hold(tmp_path: Path, name: str, fits: bool) -> None:
    text = CLASSIC.replace('"tables":', f'"journal_schema": "{name}", "tables":')
    if fits:
        assert load(tmp_path, text, OLD_PASSWORD="x").journal_schema == name
    else:
        assert (
            "longer than a name in PostgreSQL may be: 63 bytes"
            in error(tmp_path, text, OLD_PASSWORD="x").message
        )


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    text = """{
  "old_database": {"host": "", "prot": 1, "port": 70000, "database": "d", "username": "u", "password": "${NO}"},
  "new_database": {"host": "h", "database": "d", "username": "u", "sslmode": "on",
                   "password_command": "touch ran; echo x", "schema": []},
  "table": ["a"], "tables": ["a", "a", 3], "table_mapping": {"a": 1, "b": ""},
  "journal_schema": "pg_x"
}"""
    found = error(tmp_path, text)
    told = [problem.message for problem in found.problems]
    for part in (
        "$.old_database.host: the text is empty",
        '$.old_database.prot: unknown key "prot"',
        "$.old_database.port: port is a whole number",
        "$.old_database.password: the environment variable NO is not set",
        "$.new_database.sslmode: unknown sslmode 'on'",
        "$.new_database.schema: the list of schemas is empty",
        '$.table: unknown key "table"',
        "$.tables[1]: 'a' stands twice",
        "$.tables[2]: a text in quotes is expected here, not a number",
        "$.table_mapping.a: a text in quotes is expected here",
        "$.table_mapping.b: the text is empty",
        "$.journal_schema: 'pg_x' belongs to the server",
    ):
        assert sum(part in message for message in told) == 1, (part, told)
    assert len(told) == 12
    lines = [int(message.split(":")[1]) for message in told]
    assert lines == sorted(lines)


def test_a_mistake_keeps_commands_from_running(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    side = f'{{"host": "h", "database": "d", "username": "u", "password_command": "touch {marker}; echo x"}}'
    wrong = f'{{"old_database": {side}, "new_database": {side}, "tables": []}}'
    assert [problem.code for problem in error(tmp_path, wrong).problems] == ["TS114"]
    assert not marker.exists()
    load(tmp_path, wrong.replace(', "tables": []', ""))
    assert marker.exists()


def test_a_mistake_has_no_consequences(tmp_path: Path) -> None:
    text = '{"old_database": {"url": "mysql://h/d"}, "new_database": {"username": "u", "database": "d"}}'
    found = error(tmp_path, text, PGHOST="somewhere")
    assert [problem.message.rpartition(": ")[2] for problem in found.problems] == [
        "a URL begins with postgresql://"
    ]


def test_two_urls(tmp_path: Path) -> None:
    urls = ("postgresql://me@a/x?sslmode=disable", "postgresql://${WHO}:${SECRET}@b:6543/y")
    config = config_from_urls(*urls, environ={"HOME": str(tmp_path), "WHO": "you", "SECRET": "hunter2"})
    assert (config.old.display, config.old.user, config.old.sslmode) == ("a:5432/x", "me", "disable")
    assert (config.new.display, config.new.user, config.new.password) == (
        "b:6543/y",
        "you",
        Secret("hunter2"),
    )
    assert config.words == urls
    assert config.warnings == ()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hunter2@a/x",
        "postgresql://me@a/x?password=hunter2",
        "postgresql://me@a/x?sslpassword=hunter2",
        "postgresql://me:${A}hunter2@a/x",
    ],
)
def test_no_password_on_the_command_line(url: str) -> None:
    for pair in ((url, "postgresql://b/y"), ("postgresql://b/y", url)):
        with pytest.raises(UsageError) as caught:
            config_from_urls(*pair, environ={"A": "a", "HOME": "/"})
        told = caught.value
        assert (told.code, told.exit_status) == ("TS115", 2)
        assert told.message.startswith("OLD_URL: " if pair[0] == url else "NEW_URL: ")
        assert all(word in told.hint for word in ("PGPASSFILE", "password_command", "${NAME}"))
        assert "hunter2" not in told.message + told.hint + str(told.problems)


def test_the_manual_names_every_variable() -> None:
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    missing = {*ENVIRONMENT.values(), "PGHOST", "PGDATABASE", "PGSERVICEFILE", "PGSYSCONFDIR"}
    assert {name for name in missing if f"`{name}`" not in page} == set()


def test_an_account_without_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as that of a container whose user the image does not know: there is no ~/.pgpass, and no service file."""

    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    urls = ("postgresql://one@h/old", "postgresql://one@h/new")
    config = config_from_urls(*urls, environ={})
    assert (config.old.password, config.new.passfile) == (None, None)
    with pytest.raises(UsageError, match="nowhere"):
        config_from_urls("postgresql://one@h/old?service=nowhere", urls[1], environ={})
