"""Every message of the classic page, provoked for real; each with its exit status,
its cure, and no secret.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from support import CliResult
from support.desk import Desk

DeskOf = Callable[[str, str], Desk]
ANALYZE = "python scripts/db_migration_tool.py config/my-config.json"
MIGRATE = "python scripts/data_migrator.py config/my-config.json"
BOTH = (ANALYZE, MIGRATE, f"{MIGRATE} --live")
TABLE = "CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'a')"
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIDCzCCAfOgAwIBAgIUTDIXRjJOTchjS2Hg54PCJPY7j/MwDQYJKoZIhvcNAQEL
BQAwFDESMBAGA1UEAwwJYXV0aG9yaXR5MCAXDTI2MTEyMjE3MDgxOFoYDzIxMjYx
MDI5MTcwODE4WjAUMRIwEAYDVQQDDAlhdXRob3JpdHkwggEiMA0GCSqGSIb3DQEB
AQUAA4IBDwAwggEKAoIBAQCWc0iVpx7dXtUuVls0qMtC2ap7UV1ZOoanUu6d1k+W
d/wVXCQsocsLza49eK3LATNvJAof8UblQ54uYlCqUsI5iX9x8paOjugoYPiAVsDV
kbmYr3IkCMzStvtNsWTD6rJFX4hyZ3Bzf5rVuQKJdrh6KJIhiCK4Ys4Xqjp6fkQ8
fk9xQl49K3HgCn0Uqy0hHKKr/cWcNVYTRQuBH6Mo8LUkKqAMtQts5ItCXYFK2wcq
XTr1f616eRCTxwc9Q3FTGXENYpK09Fpt0+KQqKI4ImRopz/QF9GRvLlUxEh9rtdS
JxrucNdvmPwkhvISOiCX53dUCZFLKKy3rmESuQy3nh7XAgMBAAGjUzBRMB0GA1Ud
DgQWBBTwWAt98Z1HX1PGcX/T4inKqLk0wzAfBgNVHSMEGDAWgBTwWAt98Z1HX1PG
cX/T4inKqLk0wzAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4IBAQB/
JSrgmf95R6n71onMuqn8I112Aofim6gXBVuHayphHflXiwPS7dpbJ2BI5QZglVxU
Qbqj+qbFo5d8GSI2rqMI4YSEM/fr4IRkhnO0+DZEquMxhzflhraDF38ntXhglU2d
XShOMfxdGI/ZH6h+0Ki5q6k6yv98E7E3wTZ9gR9Sgz1TLD7WjaDos33swQj31B4M
ffyQ/GVNHdZugp3MtFn2SMOTlWh0dS0eyG5jIFK+qTxTvNJC7kvo2jkKzwk/MbgF
YNTTRAynYMufOxtRgC1Rqm7DubKe+HqxU/Fg6LIQ5QCAP4XOdv0OfDHH5jKx1PrX
HTTwt+fOpBNKm7oKutYQ
-----END CERTIFICATE-----
"""
"""Somebody's authority: a server without SSL never gets as far as being compared with it."""
SHAPE = "CREATE TABLE users (id int PRIMARY KEY, name text)"


@pytest.fixture
def desk(desk_of: DeskOf) -> Desk:
    return desk_of(TABLE, SHAPE)


def refused(desk: Desk, line: str, status: int, *parts: str) -> CliResult:
    told = desk.type(line)
    assert told.status == status, told
    for part in parts:
        assert part in told.stderr, told
    for server in (desk.pair.old.server, desk.pair.new.server):
        assert server.password not in str(told)
    return told


@pytest.mark.parametrize("line", BOTH)
def test_host_name(desk: Desk, line: str) -> None:
    desk.config(old={"host": "no-such-host.invalid"})
    refused(desk, line, 2, "could not translate host name", "DNS", "VPN", "private endpoint", "OLD")


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_no_ssl(desk: Desk, mode: str) -> None:
    rootcert = desk.write("ca.pem", CERTIFICATE)
    desk.config(new={"sslmode": mode, "sslrootcert": rootcert})
    refused(desk, MIGRATE, 2, "server does not support SSL", '"sslmode": "disable"', "NEW")
    desk.config(new={"sslmode": "prefer"})
    assert desk.type(MIGRATE).status == 0


def test_authentication(desk: Desk) -> None:
    desk.config(old={"password": "certainly-wrong"})
    told = refused(desk, MIGRATE, 2, "authentication failed", "password", "permissions", "percent-encoded")
    assert "certainly-wrong" not in str(told) and "Azure" not in told.stderr


def test_table_not_found(desk: Desk) -> None:
    name = desk.pair.old.name
    desk.config(tables=["user"])
    refused(
        desk,
        MIGRATE,
        2,
        f"Table not found in schema: 'user' (schema 'public', OLD database '{name}')",
        "users",
    )
    desk.config(tables=["Users"])
    refused(
        desk,
        ANALYZE,
        2,
        f"Table not found in schema: 'Users' (schema 'public', OLD database '{name}')",
        "users",
    )
    desk.config(tables=["nowhere.users"])
    refused(desk, ANALYZE, 2, "Table not found in schema: 'users' (schema 'nowhere', OLD database", "schema")
    desk.config(old={"schema": "publik"})
    refused(
        desk,
        ANALYZE,
        2,
        f"No tables to migrate (schema 'publik', OLD database '{name}')",
        "schema 'publik' does not exist",
    )
    desk.config(old={"schema": "publik"}, tables=["users"])
    refused(
        desk,
        ANALYZE,
        2,
        f"Table not found in schema: 'users' (schema 'publik', OLD database '{name}')",
        "schema 'publik' does not exist",
    )
    desk.config(new={"schema": "publik"})
    refused(desk, ANALYZE, 2, f"schema 'publik' does not exist in the NEW database '{desk.pair.new.name}'")
    desk.config(table_mapping={"users": "app_users"})
    refused(
        desk,
        ANALYZE,
        2,
        f"Table not found in schema: 'app_users' (schema 'public', NEW database '{desk.pair.new.name}')",
    )


def test_table_that_may_not_be_read(desk: Desk) -> None:
    role = f"reader_{desk.pair.old.name}"
    desk.run_old(f"CREATE ROLE {role} LOGIN PASSWORD 'reader-secret'; REVOKE ALL ON users FROM PUBLIC")
    try:
        desk.config(old={"username": role, "password": "reader-secret"}, tables=["users"])
        told = refused(desk, MIGRATE, 3, "GRANT SELECT", "users", role)
        assert "reader-secret" not in str(told)
    finally:
        desk.run_old(f"DROP ROLE {role}")


def test_no_tables(desk_of: DeskOf) -> None:
    desk = desk_of("CREATE VIEW v AS SELECT 1", "")
    name = desk.pair.old.name
    for line in BOTH:
        refused(desk, line, 2, "No tables to migrate", "'public'", name)
    desk.config(tables=[])
    for line in BOTH:
        refused(desk, line, 2, "No tables to migrate", "'public'", name, "leave the key out for all")


def test_files_named_and_missing(desk: Desk) -> None:
    refused(desk, f"{MIGRATE} --changes-file none.json", 2, "none.json")
    refused(desk, f"{MIGRATE} --resolutions none.json", 2, "none.json")
    refused(desk, "python scripts/data_migrator.py none.json", 2, "none.json")
    told = desk.type(MIGRATE)
    assert told.status == 0
    assert "results/migration_changes.json" in told.stdout + told.stderr


def test_changes_of_another_tool(desk: Desk) -> None:
    desk.write("results/migration_changes.json", '{"changes": [], "generated_by": "another"}')
    refused(desk, MIGRATE, 2, "results/migration_changes.json", "run analyze again")
    refused(
        desk,
        "python scripts/manual_resolutions.py generate results/migration_changes.json",
        2,
        "run analyze again",
    )


def test_prefix_with_a_separator(desk: Desk) -> None:
    for line in (*BOTH, "python scripts/manual_resolutions.py generate c.json"):
        refused(desk, f"{line} --prefix a/b", 2, "path separator")


def test_out_of_scope(desk_of: DeskOf) -> None:
    desk = desk_of(
        f"{TABLE}; CREATE TABLE other (id int); CREATE TABLE more (id int)",
        f"{SHAPE}; CREATE TABLE strange (x text)",
    )
    desk.config(tables=["users"])
    told = desk.type(ANALYZE)
    assert told.status == 0
    assert "Total Changes: 0" in told.stdout
    assert "2" in next(line for line in told.stdout.splitlines() if "scope" in line)
    assert desk.type(MIGRATE).status == 0


def test_old_is_new(desk: Desk) -> None:
    desk.pair.config(desk.folder, name="config/my-config.json", new=desk.pair.old.endpoint())
    refused(desk, f"{MIGRATE} --live", 3)


def test_torture_passwords(desk: Desk) -> None:
    user, password = (
        f"tort o@ld:1/x%20{desk.pair.old.name}",
        " p@ss:w/o?r#d%20&a=b+c '\"\\é€{}[]$HOME`x`;|<>(x)!^~%s ${PATH} ",
    )
    quoted = password.replace("'", "''")
    desk.run_old(f"CREATE ROLE \"{user}\" LOGIN PASSWORD '{quoted}' IN ROLE pg_read_all_data")
    try:
        desk.config(old={"username": user, "password": password.replace("${", "$${")})
        told = [desk.type(line) for line in BOTH]
        assert [one.status for one in told] == [0, 0, 0], told
        written = "".join(desk.read(f"results/{name}") for name in desk.files())
        assert password not in written + "".join(str(one) for one in told)
        asyncio.run(desk.pair.old.run(f"ALTER ROLE \"{user}\" PASSWORD 'another'"))
        refused(desk, ANALYZE, 2, "authentication failed")
    finally:
        asyncio.run(desk.pair.old.run(f'DROP ROLE "{user}"'))
