"""What a worker of a cluster sends back: counts and messages, no values of rows."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from tranship.errors import TranshipError
from tranship.execution.cluster.facts import Facts


class Introduced(Struct, frozen=True, tag=True):
    """A worker may copy; the coordinator compares its facts with its own."""

    facts: Facts


class Done(Struct, frozen=True, tag=True):
    """A worker did with a batch what it could; the journal says what."""

    counts: tuple[int, int, int] | None
    """Rows read, written and rejected, as they are committed; None: the batch was divided and is still to
    do.
    """


class NotNow(Struct, frozen=True, tag=True):
    """A worker did not begin: what the coordinator shared is out of date."""

    worker: str
    said: str


class Fault(Struct, frozen=True, tag=True):
    """A worker gave up."""

    worker: str
    """Its host and process."""
    code: str
    message: str
    hint: str

    @classmethod
    def of(cls, worker: str, error: TranshipError) -> Fault:
        """Returns what is sent of an error."""
        return cls(worker, error.code, error.message, error.hint)


Answer = Introduced | Done | NotNow | Fault


_DECODER: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)


def sent(answer: Answer) -> bytes:
    """Returns an answer as it travels."""
    return msgspec.json.encode(answer)


def received(data: bytes) -> Answer:
    """Returns the answer that `sent` made into bytes."""
    return _DECODER.decode(data)
