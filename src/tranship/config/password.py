"""Where a password comes from that the parameters do not hold: ``password_command``, or the password file."""

from __future__ import annotations

from collections.abc import Mapping

from tranship.codec import JsonValue, child
from tranship.config import libpq
from tranship.config.endpoint import Endpoint, Secret
from tranship.config.password_command import CommandSecret, CommandTrouble
from tranship.config.reading import Reading
from tranship.errors.codes.configuration import NoCommand


def find_password(
    reading: Reading, path: str, value: Mapping[str, JsonValue], endpoint: Endpoint
) -> Secret | None:
    """Returns the password of a database whose parameters hold none; None: it has none.

    Args:
        reading: of the file.
        path: of the database's object.
        value: that object.
        endpoint: the database, to be found in the password file.

    Raises:
        UsageError: the command fails.
    """
    if value.get("password_command") is not None:
        where = child(path, "password_command")
        secret = CommandSecret(_words(reading, where, value["password_command"]))
        try:
            secret.renew()
        except CommandTrouble as trouble:
            raise reading.error(where, trouble.what) from None
        return secret
    place = (endpoint.host, endpoint.port, endpoint.database, endpoint.user)
    found = libpq.read_passfile(endpoint.passfile, *place, reading.warn)
    return None if found is None else Secret(found)


def _words(reading: Reading, path: str, command: JsonValue) -> list[str] | str:
    if isinstance(command, str):
        return reading.text(path, command)
    if isinstance(command, list) and command:
        return [reading.text(child(path, number), word, empty=True) for number, word in enumerate(command)]
    raise reading.error(path, NoCommand())
