"""The server of the studio: it listens on the loopback alone."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn

from tranship.config import Config
from tranship.errors import UsageError
from tranship.errors.codes.studio import CannotListen
from tranship.studio.app import Studio
from tranship.studio.desk import Desk, Paths
from tranship.studio.guard import Guard
from tranship.studio.people import People, Person
from tranship.studio.runs import RunOptions, Runs

_LOOPBACK = "127.0.0.1"
_CONNECTIONS = 100
"""Connections at a time: what a few people with a few pages need."""


async def serve(
    config: Config,
    options: RunOptions,
    invited: Sequence[Person],
    port: int,
    tell: Callable[[Person, str], None],
) -> None:
    """Serves the page until the process is told to end.

    Args:
        config: the two databases.
        options: the files, and what runs are started with.
        invited: the persons; each gets a link of an own.
        port: 0 takes a free one.
        tell: is given each person's link, once the studio listens.

    Raises:
        UsageError: a file cannot be read, or the port is taken.
    """
    desk = Desk(config, Paths(Path(options.resolutions), Path(options.changes)))
    people = People()
    with _listening(port) as listening:
        taken = int(listening.getsockname()[1])
        studio = Studio(config, people, desk, Runs(options)).application()
        server = uvicorn.Server(
            uvicorn.Config(
                Guard(studio, taken),
                http="h11",
                ws="none",
                lifespan="off",
                access_log=False,
                log_level="warning",
                server_header=False,
                date_header=False,
                proxy_headers=False,
                limit_concurrency=_CONNECTIONS,
            )
        )
        for person in invited:
            tell(person, f"http://{_LOOPBACK}:{taken}/enter?link={people.invite(person)}")
        await server.serve(sockets=[listening])


def _listening(port: int) -> socket.socket:
    """Returns a socket that listens on the loopback.

    Raises:
        UsageError: the port is taken.
    """
    try:
        return socket.create_server((_LOOPBACK, port))
    except OSError as error:
        raise UsageError(CannotListen(port, error.strerror or str(error))) from None
