"""Links that work once, and the sessions that they become."""

from __future__ import annotations

from tranship.studio.people import People, Person, Role, csrf_fits

ANN, BOB = Person("Ann", Role.EDITOR), Person("Bob", Role.APPROVER)


def test_a_link_becomes_one_session_and_is_void_then() -> None:
    people = People()
    link = people.invite(ANN)
    cookie = people.enter(link)
    assert cookie is not None and cookie != link
    session = people.session(cookie)
    assert session is not None and session.person == ANN
    assert people.enter(link) is None
    assert people.session(link) is None, "a link is no cookie"
    assert people.enter(cookie) is None, "and a cookie no link"


def test_everybody_has_secrets_of_their_own() -> None:
    people = People()
    links = [people.invite(person) for person in (ANN, BOB, ANN)]
    cookies = [people.enter(link) for link in links]
    sessions = [people.session(cookie or "") for cookie in cookies]
    tokens = [session.csrf for session in sessions if session is not None]
    assert len({*links, *cookies, *tokens}) == 9
    assert all(len(secret) >= 43 for secret in (*links, *tokens)), "256 bits in base64"
    first, second = sessions[0], sessions[1]
    assert first is not None and second is not None
    assert csrf_fits(first, first.csrf)
    for other in ("", second.csrf, first.csrf + "x", "\ud800"):
        assert not csrf_fits(first, other)


def test_what_was_never_given_out_leads_nowhere() -> None:
    people = People()
    for guess in ("", "x", "\ud800", "A" * 100_000):
        assert people.enter(guess) is None
        assert people.session(guess) is None
