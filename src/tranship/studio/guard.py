"""What stands before every route: the headers that a request needs, and those that each response gets.

A page of another site can send requests to the loopback, and a name of another site can lead there (DNS
rebinding). So the Host must be ours, a write must come from our own page, and no response may be kept, framed
or read by others.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 1024 * 1024
"""A larger body is refused before it is read on."""
COOKIE = "tranship_studio"
CSRF = "x-csrf-token"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_READS = ("GET", "HEAD")


class Guard:
    """An ASGI application in front of another. ``port`` is the one that the studio listens on."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or refuses it."""
        if scope["type"] != "http":
            # There are no websockets; refusing them needs no more than not accepting.
            return
        with_headers = _with_headers(send)
        refused = self._refusal(str(scope["method"]), Headers(scope=scope))
        if refused is not None:
            await refused(scope, receive, with_headers)
            return
        await self._app(scope, _bounded(receive), with_headers)

    def _refusal(self, method: str, headers: Headers) -> JSONResponse | None:
        """Returns why a request is refused; None where it may go on."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return _refuse(421, "the Host is not that of this studio")
        if method in _READS:
            return None
        if method != "POST":
            return _refuse(405, "only GET and POST are answered")
        if headers.getlist("origin") != [f"http://{hosts[0]}"]:
            return _refuse(403, "the request does not come from this studio's page")
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _refuse(415, "a body is JSON")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:12]) > MOST_BYTES:
            return _refuse(413, f"a body has at most {MOST_BYTES} bytes")
        return None


def _refuse(status: int, message: str) -> JSONResponse:
    return JSONResponse({"problems": [{"message": message}]}, status)


def _bounded(receive: Receive) -> Receive:
    """Returns ``receive`` that ends a body which is longer than it said."""
    read = 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > MOST_BYTES:
            # The application answers it; an exception of our own would be a fault of the server to it.
            raise HTTPException(413, f"a body has at most {MOST_BYTES} bytes")
        return message

    return bounded


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
        await send(message)

    return with_headers
