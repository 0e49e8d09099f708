"""The cookie session: its cookies' attributes, what a request must carry, what the log says."""

from __future__ import annotations

import json
from http.cookies import SimpleCookie
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from client_widget import Event, EventLog, describe
from demo_server import DemoClock, ServerConfig, create_app, open_database

from ...conftest import START
from ..api import ADA

ACCESS, REFRESH, CSRF = "__Host-access", "__Secure-refresh", "__Host-csrf"


class Page:
    """The server, and its page in a browser that keeps the cookies.

    Args:
        session (str): the setting `cookie_session`.
    """

    def __init__(self, session: str, **more: Any) -> None:
        self.clock = DemoClock(start=START, rate=0)
        self.log = EventLog(clock=self.clock)
        config = ServerConfig(bcrypt_cost=4, policy="rfc", cookie_session=session, **more)
        emit = self.log.emitter("server")
        app = create_app(config, database=open_database(), clock=self.clock, emit=emit)
        self.browser: FlaskClient = app.test_client()
        self.browser.post("/users/register", json=ADA)

    def log_in(self, **headers: str) -> TestResponse:
        return self.post("/cookie/login", ADA, **headers)

    def post(self, path: str, body: object = None, **headers: str) -> TestResponse:
        """A request with the cookies; the test client takes https for granted."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.browser.post(path, json=body, headers=headers, base_url="https://localhost")

    def home(self) -> TestResponse:
        return self.browser.get("/cookie/home", base_url="https://localhost")

    def cookie(self, name: str) -> str:
        """The value of a cookie that the browser keeps; "" if it has none."""
        path = "/cookie/refresh" if name == REFRESH else "/"
        kept = self.browser.get_cookie(name, path=path)
        return kept.value if kept is not None else ""

    def csrf(self) -> dict[str, str]:
        """What the page adds to a request that changes something."""
        return {"X_CSRF_Token": self.cookie(CSRF)}

    def newest(self) -> Event:
        return list(self.log)[-1]

    def last(self) -> tuple[str, dict[str, Any]]:
        """The newest event, without its words and its path."""
        event = self.newest()
        return event.name, {n: v for n, v in event.fields.items() if n not in ("detail", "path")}


def cookies_set(answer: TestResponse) -> dict[str, dict[str, str]]:
    """The cookies of a response by name: their value and their attributes."""
    found: dict[str, dict[str, str]] = {}
    for header in answer.headers.getlist("Set-Cookie"):
        jar = SimpleCookie(header)
        for name, morsel in jar.items():
            given = {key: str(value) for key, value in morsel.items() if value}
            given.pop("expires", None)
            found[name] = {"value": morsel.value, **given}
    return found


@pytest.mark.parametrize(
    ("session", "same_site"),
    [("careless", "None"), ("samesite", "Strict"), ("csrf_token", "None"), ("both", "Strict")],
)
def test_a_login_sets_each_cookie_with_its_attributes(session: str, same_site: str) -> None:
    page = Page(session, access_token_ttl=60, refresh_token_ttl=300)
    answer = page.log_in()
    assert (answer.status_code, answer.get_json()) == (201, {"message": "Welcome ada"})
    assert answer.headers["Cache-Control"] == "no-store"
    given = cookies_set(answer)
    values = {name: attributes.pop("value") for name, attributes in given.items()}
    every = {"secure": "True", "samesite": same_site}
    expected = {
        ACCESS: {**every, "path": "/", "httponly": "True", "max-age": "60"},
        REFRESH: {**every, "path": "/cookie/refresh", "httponly": "True", "max-age": "300"},
    }
    if session in ("csrf_token", "both"):
        expected[CSRF] = {**every, "path": "/", "max-age": "300"}
    assert given == expected
    assert all("domain" not in attributes for attributes in given.values())
    assert not any(value in answer.text for value in values.values())


def test_the_page_reads_and_changes_its_note() -> None:
    page = Page("both")
    page.log_in()
    assert page.home().get_json() == {"message": "Welcome ada", "note": ""}
    answer = page.post("/cookie/note", {"note": "buy milk"}, **page.csrf())
    assert (answer.status_code, answer.get_json()) == (200, {"note": "buy milk"})
    assert page.newest().name == "note.saved"
    assert page.home().get_json()["note"] == "buy milk"
    for body in ({}, {"note": ""}, {"note": 1}, {"note": "x" * 201}):
        answer = page.post("/cookie/note", body, **page.csrf())
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
    assert page.home().get_json()["note"] == "buy milk"


def test_a_refresh_rotates_the_cookies_and_an_old_one_ends_the_session() -> None:
    page = Page("both")
    page.log_in()
    spent, before = page.cookie(REFRESH), page.cookie(ACCESS)
    page.clock.advance(61)
    assert page.home().status_code == 401
    answer = page.post("/cookie/refresh", **page.csrf())
    assert (answer.status_code, answer.get_json()) == (200, {"message": "Refreshed"})
    assert set(cookies_set(answer)) == {ACCESS, REFRESH, CSRF}
    assert page.cookie(REFRESH) not in ("", spent)
    assert page.cookie(ACCESS) not in ("", before)
    assert page.home().status_code == 200

    page.browser.set_cookie(REFRESH, spent, path="/cookie/refresh", secure=True)
    answer = page.post("/cookie/refresh", **page.csrf())
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_grant")
    assert "reuse.detected" in [event.name for event in page.log]
    assert cookies_set(answer) == {}  # a forged request must not log the user out
    assert page.home().status_code == 401


def test_a_logout_ends_the_session_and_deletes_the_cookies() -> None:
    page = Page("both")
    page.log_in()
    kept = page.cookie(ACCESS)
    answer = page.post("/cookie/logout", **page.csrf())
    assert (answer.status_code, answer.text) == (204, "")
    deleted = cookies_set(answer)
    assert {name: each.get("path") for name, each in deleted.items()} == {
        ACCESS: "/",
        REFRESH: "/cookie/refresh",
        CSRF: "/",
    }
    assert {each["value"] for each in deleted.values()} == {""}
    assert [page.cookie(name) for name in (ACCESS, REFRESH, CSRF)] == ["", "", ""]
    page.browser.set_cookie(ACCESS, kept, secure=True)
    assert page.home().status_code == 401  # the server has ended it too


@pytest.mark.parametrize("path", ["/cookie/note", "/cookie/refresh", "/cookie/logout"])
@pytest.mark.parametrize("session", ["csrf_token", "both"])
def test_what_changes_something_needs_the_csrf_token(session: str, path: str) -> None:
    page = Page(session)
    page.log_in()
    other = page.cookie(CSRF)
    page.log_in()  # another session, with another token
    body = {"note": "forged"}
    for header, code in (
        ({}, "csrf_token_missing"),
        ({"X_CSRF_Token": ""}, "csrf_token_missing"),
        ({"X_CSRF_Token": "guessed"}, "csrf_token_invalid"),
        ({"X_CSRF_Token": f"{'0' * 32}.{'0' * 64}"}, "csrf_token_invalid"),
        ({"X_CSRF_Token": other}, "csrf_token_invalid"),
        ({"X_CSRF_Token": "ü"}, "csrf_token_invalid"),
    ):
        answer = page.post(path, body, Sec_Fetch_Site="cross-site", **header)
        assert (answer.status_code, answer.get_json()["error"]) == (403, code)
        assert cookies_set(answer) == {}
        refused = {"reason": code, "username": "ada", "site": "cross-site"}
        assert page.last() == ("request.refused", refused)
    # Nothing has changed, and the page's own request is still accepted.
    assert page.home().get_json()["note"] == ""
    assert page.post(path, body, **page.csrf()).status_code in (200, 204)


def test_a_csrf_token_that_an_attacker_plants_is_not_this_sessions() -> None:
    """It is in both places and its signature is right, but it belongs to another session."""
    page = Page("csrf_token")
    page.log_in()
    planted = page.cookie(CSRF)
    page.log_in()
    page.browser.set_cookie(CSRF, planted, secure=True)
    answer = page.post("/cookie/note", {"note": "forged"}, **page.csrf())
    assert (answer.status_code, answer.get_json()["error"]) == (403, "csrf_token_invalid")


def test_the_header_repeats_the_cookie_of_now() -> None:
    page = Page("both")
    page.log_in()
    before = page.cookie(CSRF)
    page.post("/cookie/refresh", **page.csrf())
    answer = page.post("/cookie/note", {"note": "late"}, X_CSRF_Token=before)
    assert (answer.status_code, answer.get_json()["error"]) == (403, "csrf_token_invalid")


@pytest.mark.parametrize("session", ["careless", "samesite"])
def test_without_a_token_the_cookie_alone_counts(session: str) -> None:
    """SameSite is kept by the browser: what the browser sends, the server accepts."""
    page = Page(session)
    page.log_in()
    answer = page.post("/cookie/note", {"note": "forged"}, Sec_Fetch_Site="cross-site")
    assert answer.status_code == 200
    assert page.last() == ("note.saved", {"username": "ada", "site": "cross-site"})
    assert describe(page.newest()) == (
        "/cookie/note: the note of ada is saved; sent by a page of another site"
    )


def test_without_cookies_nothing_is_done() -> None:
    page = Page("both")
    for method, path in (("GET", "home"), ("POST", "note"), ("POST", "logout")):
        answer = page.browser.open(
            f"/cookie/{path}", method=method, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert answer.status_code == 401
        assert answer.get_json() == {"message": "The request carries no access cookie"}
        rejected = {"kind": "access", "reason": "token_missing", "site": "cross-site"}
        assert page.last() == ("token.rejected", rejected)
    answer = page.post("/cookie/refresh")
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
    # A browser that sends no such header, or anything else in it, is not repeated.
    page.browser.get("/cookie/home", headers={"Sec-Fetch-Site": "<b>"})
    assert "site" not in page.newest().fields


@pytest.mark.parametrize("site", ["cross-site", "same-site", "same-origin", "none", ""])
def test_another_site_cannot_log_the_browser_in(site: str) -> None:
    refused = site in ("cross-site", "same-site")
    for session in ("both", "csrf_token"):
        page = Page(session)
        answer = page.log_in(Sec_Fetch_Site=site)
        assert answer.status_code == (403 if refused else 201)
        if refused:
            assert answer.get_json()["error"] == "cross_site_request"
            assert page.last() == (
                "request.refused",
                {"reason": "cross_site_request", "site": site},
            )
    assert Page("careless").log_in(Sec_Fetch_Site=site).status_code == 201


def test_a_cookie_is_no_bearer_token_and_the_other_way_round() -> None:
    page = Page("both")
    page.log_in()
    assert page.browser.get("/home", base_url="https://localhost").status_code == 401
    bearer = {"Authorization": f"Bearer {page.cookie(ACCESS)}"}
    assert page.browser.get("/home", headers=bearer).status_code == 200
    page.browser.delete_cookie(ACCESS)
    assert page.browser.get("/cookie/home", headers=bearer).status_code == 401


def test_no_cookie_is_in_the_log() -> None:
    page = Page("both")
    page.log_in()
    values = [page.cookie(name) for name in (ACCESS, REFRESH, CSRF)]
    page.post("/cookie/note", {"note": "mine"}, **page.csrf())
    page.post("/cookie/refresh", **page.csrf())
    page.post("/cookie/note", {"note": "mine"}, X_CSRF_Token="wrong")
    page.post("/cookie/logout", **page.csrf())
    recorded = json.dumps([event.as_dict() for event in page.log])
    for value in values:
        assert value
        assert value not in recorded
        assert value.rpartition(".")[2] not in recorded  # nor its signature
    assert "Set-Cookie" not in recorded


def test_by_default_there_are_no_such_routes() -> None:
    app = create_app(
        ServerConfig(policy="rfc"), database=open_database(), clock=lambda: START, emit=print
    )
    assert not [rule for rule in app.url_map.iter_rules() if "cookie" in rule.rule]
