"""The routes of the studio. Everything but the link of an invitation needs a session."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib import resources
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tranship import api
from tranship.api.deciding import Answer
from tranship.api.questions import Question
from tranship.api.suggested import Entries, Suggested, entries_of
from tranship.codec import parse_jsonc
from tranship.codec.decision_file import Entry
from tranship.codec.entry_fields import plain_json
from tranship.config import Config
from tranship.errors import TranshipError
from tranship.model.preview import TablePreview
from tranship.model.visible import json_text
from tranship.planning.deciding.choices import additions
from tranship.studio.desk import Desk, Refusal, State
from tranship.studio.guard import COOKIE, CSRF
from tranship.studio.people import People, Session, csrf_fits
from tranship.studio.runs import Runs

_STATIC = {
    "page.html": "text/html",
    "studio.js": "text/javascript",
    "answers.js": "text/javascript",
    "mappings.js": "text/javascript",
    "runs.js": "text/javascript",
    "suggestions.js": "text/javascript",
    "tries.js": "text/javascript",
    "studio.css": "text/css",
    "icon.svg": "image/svg+xml",
}
"""The only files that are served: no path of a request is ever looked up on the disk."""
_CLOSED = (
    b"<!doctype html><html lang=en><meta charset=utf-8><title>tranship studio</title>"
    b"<p>Open the link that was printed for you where the studio was started. Each link works once."
)

Body = TypeVar("Body")
Handler = Callable[[Request, Session], Awaitable[Response]]


class Given(Struct, frozen=True):
    """An answer as the page sends it."""

    fields: str
    """A JSON object as text, so that numbers keep their digits."""
    how: Literal["suggestion", "choice", "expression", "fields"]
    place: str = ""
    """Of the question that it answers; empty: it is one more decision, under ``key``."""
    key: str = ""
    """The table or flow of a decision that answers no question."""
    also: tuple[str, ...] = ()
    """The places of further questions that get the same answer."""
    because: str = ""
    version: str = ""
    """The state that the person saw."""
    anyway: bool = False
    """The person was told why a server refuses it, and wants it saved."""


class _Accepted(Struct, frozen=True):
    """Questions whose suggestions are accepted together."""

    places: tuple[str, ...]
    version: str
    anyway: bool = False
    """As of an answer."""


class _OfSuggestion(Struct, frozen=True):
    """What a person does with a whole suggestion."""

    place: str
    do: Literal["check", "try", "accept", "undo"]
    entries: str = ""
    """The entries by key as JSON text, as the person changed them; empty: as they stand in the file."""
    version: str = ""
    anyway: bool = False
    """As of an answer."""


class _Table(Struct, frozen=True):
    table: str


class _Typed(Struct, frozen=True):
    database: str


class Studio:
    """The application: what it knows, and a handler for each route."""

    def __init__(self, config: Config, people: People, desk: Desk, runs: Runs) -> None:
        self._config, self._people, self._desk, self._runs = config, people, desk, runs
        self._files = {name: _file(name) for name in _STATIC}

    def application(self) -> Starlette:
        """Returns the ASGI application; a `Guard` has to stand before it."""
        reads: dict[str, Handler] = {
            "/api/state": self.state,
            "/api/run": self.run,
            "/api/result": self.result,
            "/api/status": self.status,
        }
        writes: dict[str, Handler] = {
            "/api/check": self.check,
            "/api/answer": self.answer,
            "/api/accept": self.accept,
            "/api/suggestion": self.suggestion,
            "/api/verify": self.verify,
            "/api/try": self.tried,
            "/api/preview": self.preview,
            "/api/dry-run": self.dry_run,
            "/api/live-run": self.live_run,
        }
        routes = [Route("/", self.page), Route("/enter", self.enter)]
        routes += [Route(f"/{name}", self.static) for name in _STATIC if name != "page.html"]
        routes += [Route(path, self._for_session(handler)) for path, handler in reads.items()]
        routes += [
            Route(path, self._for_session(_with_csrf(handler)), methods=["POST"])
            for path, handler in writes.items()
        ]
        return Starlette(routes=routes)

    def _session(self, request: Request) -> Session | None:
        return self._people.session(request.cookies.get(COOKIE, ""))

    def _for_session(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def handled(request: Request) -> Response:
            session = self._session(request)
            if session is None:
                return _problem(401, "there is no session: open your own link")
            try:
                return await handler(request, session)
            except TranshipError as error:
                return _refused(Refusal(error.problems))
            except (msgspec.ValidationError, msgspec.DecodeError) as error:
                return _problem(400, f"the request is not understood: {error}")

        return handled

    async def page(self, request: Request) -> Response:
        """Shows the page to whoever has a session."""
        if self._session(request) is None:
            return Response(_CLOSED, 403, media_type="text/html")
        return Response(self._files["page.html"], media_type="text/html")

    async def enter(self, request: Request) -> Response:
        """Exchanges a link for a cookie; the link is void then."""
        cookie = self._people.enter(request.query_params.get("link", ""))
        if cookie is None:
            return Response(_CLOSED, 403, media_type="text/html")
        response = RedirectResponse("/", 303)
        response.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", path="/")
        return response

    async def static(self, request: Request) -> Response:
        """Returns a file of the page."""
        name = request.url.path[1:]
        return Response(self._files[name], media_type=_STATIC[name])

    async def state(self, _: Request, session: Session) -> Response:
        """Returns everything that the page shows."""
        return _json(self._whole(await self._desk.state(), session))

    async def check(self, request: Request, session: Session) -> Response:
        """Returns what would be wrong with an answer."""
        given = await _body(request, Given)
        answer = _answer(given, session)
        if given.key:
            problems = await self._desk.check_added(given.key, answer)
        else:
            problems = await self._desk.check(given.place, answer)
        unread = self._desk.is_for_servers(given.key or given.place, answer)
        return _json({"problems": problems, "unread": unread})

    async def answer(self, request: Request, session: Session) -> Response:
        """Saves an answer, and returns the state then."""
        given = await _body(request, Given)
        answer = _answer(given, session)
        if given.key:
            saved = await self._desk.add(given.version, given.key, answer, anyway=given.anyway)
        else:
            answers = dict.fromkeys((given.place, *given.also), answer)
            saved = await self._desk.save_all(given.version, answers, anyway=given.anyway)
        return self._after(saved, session)

    async def accept(self, request: Request, session: Session) -> Response:
        """Saves the suggestions of several questions, and returns the state then."""
        given = await _body(request, _Accepted)
        by = session.person.name
        saved = await self._desk.accept(given.version, given.places, by, anyway=given.anyway)
        return self._after(saved, session)

    async def suggestion(self, request: Request, session: Session) -> Response:
        """Checks, tries, accepts or takes back a whole suggestion; returns problems, ten rows of its flows,
        or the state then.
        """
        given = await _body(request, _OfSuggestion)
        place, by = given.place, session.person.name
        if given.do == "undo":
            return self._after(await self._desk.take_back(given.version, place), session)
        entries = _entries(given.entries) if given.entries else None
        if given.do == "accept":
            taken = await self._desk.take(given.version, place, entries, by, anyway=given.anyway)
            return self._after(taken, session)
        if given.do == "check":
            problems, unread = await self._desk.check_taken(place, entries, by)
            return _json({"problems": problems, "unread": unread})
        return _tables(await self._desk.tried_taken(place, entries, by))

    def _after(self, saved: State | Refusal, session: Session) -> Response:
        return _refused(saved) if isinstance(saved, Refusal) else _json(self._whole(saved, session))

    async def tried(self, request: Request, session: Session) -> Response:
        """Returns what an answer makes of ten rows."""
        given = await _body(request, Given)
        answer = _answer(given, session)
        if given.key:
            shown = await self._desk.tried_added(given.key, answer)
        else:
            shown = await self._desk.tried(given.place, answer)
        return _tables(shown)

    async def preview(self, request: Request, _: Session) -> Response:
        """Returns ten rows of a table under the present decisions."""
        return _tables(await self._desk.preview((await _body(request, _Table)).table))

    async def dry_run(self, _: Request, session: Session) -> Response:
        """Starts a dry run."""
        self._runs.start_dry(session.person)
        return _json({"run": self._runs.shown()})

    async def live_run(self, request: Request, session: Session) -> Response:
        """Starts a live run, for an approver who typed the name of NEW's database."""
        self._runs.start_live(session.person, (await _body(request, _Typed)).database)
        return _json({"run": self._runs.shown()})

    async def verify(self, _: Request, session: Session) -> Response:
        """Starts a verification, which writes to no database."""
        self._runs.start_verify(session.person)
        return _json({"run": self._runs.shown()})

    async def result(self, _: Request, __: Session) -> Response:
        """Returns what the last run that ended here left: result, rejects, certificate."""
        return _json({"result": await asyncio.to_thread(self._runs.result)})

    async def run(self, _: Request, __: Session) -> Response:
        """Returns the last run that was started here."""
        return _json({"run": self._runs.shown()})

    async def status(self, _: Request, __: Session) -> Response:
        """Returns the runs that NEW has on record, those of other processes included."""
        states = await api.status(self._config)
        return _json({"runs": [_run_words(state) for state in states]})

    def _whole(self, state: State, session: Session) -> dict[str, object]:
        return {
            "version": state.version,
            "csrf": session.csrf,
            "person": session.person,
            "old": self._config.old.display,
            "new": self._config.new.display,
            "may_run_live": self._runs.options.allow_live and session.person.role == "approver",
            "resolutions": str(self._runs.options.resolutions),
            "additions": additions(),
            "questions": [_shown(question) for question in state.questions],
            "suggestions": [_shown_suggestion(one) for one in state.suggestions],
            "drawings": state.drawings,
            "problems": state.problems,
            "run": self._runs.shown(),
        }


def _file(name: str) -> bytes:
    return resources.files("tranship.studio").joinpath("static", name).read_bytes()


def _with_csrf(handler: Handler) -> Handler:
    async def guarded(request: Request, session: Session) -> Response:
        if not csrf_fits(session, request.headers.get(CSRF, "")):
            return _problem(403, "the request lacks the token of this page: load it again")
        return await handler(request, session)

    return guarded


async def _body(request: Request, kind: type[Body]) -> Body:
    return msgspec.json.decode(await request.body(), type=kind)


def _answer(given: Given, session: Session) -> Answer:
    """Returns the answer of a person.

    Raises:
        UsageError: the fields are no JSON.
        msgspec.ValidationError: they are no object.
    """
    return Answer(_fields(given.fields), session.person.name, given.how, given.because.strip())


def _fields(text: str) -> Entry:
    document = parse_jsonc(Path("the answer"), text)
    if not isinstance(document.root, dict):
        raise msgspec.ValidationError('an object is expected, for example {"action": "ignore"}')
    return document.root


def _shown(question: Question) -> dict[str, object]:
    # The page sends the text of a suggestion back as it is: numbers in it would lose digits in a browser.
    return {name: getattr(question, name) for name in question.__struct_fields__ if name != "suggestion"}


def _entries(text: str) -> Entries:
    made = entries_of(parse_jsonc(Path("the entries"), text).root)
    if made is None:
        raise msgspec.ValidationError('lists of entries are expected, for example {"users": [{"action": …}]}')
    return made


def _shown_suggestion(one: Suggested) -> dict[str, object]:
    text = plain_json({key: [dict(entry) for entry in own] for key, own in one.entries.items()})
    changed = {"entries": json_text(msgspec.json.format(text.encode(), indent=2).decode())}
    return {name: getattr(one, name) for name in one.__struct_fields__} | changed


def _tables(shown: tuple[TablePreview, ...] | Refusal) -> Response:
    return _refused(shown) if isinstance(shown, Refusal) else _json({"tables": shown})


def _run_words(state: api.RunState) -> dict[str, object]:
    handled, rows = state.rows
    word = "running" if state.running else str(state.run.state)
    return {
        "id": state.run.id,
        "state": word,
        "started": str(state.run.started),
        "handled": handled,
        "rows": rows,
    }


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _problem(status: int, message: str) -> Response:
    return _json({"problems": [{"message": message}]}, status)


def _refused(refusal: Refusal) -> Response:
    told = {name: getattr(refusal, name) for name in refusal.__struct_fields__}
    return _json(told, 409 if refusal.conflict else 422)
