"""Lesson 10's two sites and its model of a browser. Chromium plays the same in tests/browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask, Response, request
from jwt_course.lesson_10 import ModelBrowser, TokenLab, page_named, verdict

from demo_server import DemoClock
from demo_server.serving.local_server import LocalServer

from ..conftest import START


@pytest.fixture
def lab() -> Iterator[TokenLab]:
    lab = TokenLab("both", DemoClock(start=START, rate=0))
    yield lab
    lab.stop()


def attacked(lab: TokenLab, place: str) -> list[str]:
    """What the script reports when ada comes back to the board, and logs in if she must."""
    lab.open_board(place).log_in("ada", lab.password)
    lab.inject()
    page = lab.open_board(place)
    if place == "memory":
        page.log_in("ada", lab.password)
        page.home()
    return list(map(str, lab.loot))


ACCESS = "an access token of ada, 289 characters"
REFRESH = "a refresh token of ada, 289 characters"


@pytest.mark.parametrize(
    ("place", "loot"),
    [
        (
            "localStorage",
            [f"localStorage.accessToken: {ACCESS}", f"localStorage.refreshToken: {REFRESH}"],
        ),
        ("memory", [f"the page's next request: {ACCESS}"]),
        (
            "cookie",
            [
                "document.cookie __Host-csrf: 97 characters",
                "a request with the cookie: 200, the note is replaced",
            ],
        ),
    ],
)
def test_what_a_script_finds(lab: TokenLab, place: str, loot: list[str]) -> None:
    assert attacked(lab, place) == loot
    assert lab.note == ("Written by mallory's script" if place == "cookie" else "")


def test_a_stolen_token_works_elsewhere_and_is_never_shown(lab: TokenLab) -> None:
    attacked(lab, "localStorage")
    assert [verdict(lab.use(loot)) for loot in lab.loot] == ["200 Welcome ada", "200 and tokens"]
    for loot in lab.loot:
        assert loot.token.startswith("eyJ")
        assert loot.token not in f"{loot!r} {loot} {lab!r} {lab.browser!r}"
    recorded = json.dumps([event.as_dict() for event in lab.log])
    assert not any(loot.token in recorded or lab.password in recorded for loot in lab.loot)


def test_with_a_policy_for_scripts_nothing_is_stolen(lab: TokenLab) -> None:
    lab.victim.csp = True
    assert attacked(lab, "localStorage") == []
    answer = requests.get(lab.victim.board_url, timeout=20)
    assert answer.headers["Content-Security-Policy"] == "script-src 'self'"


@pytest.mark.parametrize(
    ("protection", "answer", "note", "said"),
    [
        (
            "careless",
            "200 Forged by mallory's form",
            "Forged by mallory's form",
            "the note of ada is saved",
        ),
        (
            "samesite",
            "401 The request carries no access cookie",
            "",
            "the request carried no token",
        ),
        (
            "csrf_token",
            "403 csrf_token_missing",
            "",
            "refused: The header X-CSRF-Token is missing",
        ),
        ("both", "401 The request carries no access cookie", "", "the request carried no token"),
    ],
)
def test_what_a_form_on_another_site_does(
    protection: str, answer: str, note: str, said: str
) -> None:
    lab = TokenLab(protection)
    lab.open_board("cookie").log_in("ada", lab.password)
    assert (verdict(lab.visit_prize()), lab.note) == (answer, note)
    assert lab.said()[-1] == f"/cookie/note: {said}; sent by a page of another site"
    lab.stop()


def test_the_page_refuses_an_unknown_place(lab: TokenLab) -> None:
    with pytest.raises(ValueError, match="localStorage, memory, cookie"):
        lab.open_board("sessionStorage")


def test_the_sites_are_two_sites_on_loopback(lab: TokenLab) -> None:
    hosts = [urlsplit(site.url).hostname for site in (lab.victim, lab.attacker)]
    assert hosts == ["127.0.0.1", "localhost"]
    for name in ("board.html", "board.js", "steal.js", "prize.html"):
        assert page_named(name)
    assert requests.get(f"{lab.victim.url}/app/", timeout=20).ok  # the demo server's page
    policy = requests.get(f"{lab.victim.url}/app/", timeout=20).headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    form = requests.get(lab.attacker.prize_url, timeout=20).text
    assert f'action="{lab.victim.url}/cookie/note"' in form
    assert f"{lab.attacker.url}/steal.js" in lab.attacker.message
    assert requests.get(f"{lab.attacker.url}/steal.js", timeout=20).text == page_named("steal.js")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ("[]", 400),
        ('{"where": "x"}', 400),
        ("[" * 5_000, 400),
        ("x" * 9_000, 413),
        ('{"where": "localStorage.accessToken", "value": "no token"}', 204),
    ],
)
def test_anyone_may_report_anything_to_the_attacker(lab: TokenLab, body: str, status: int) -> None:
    assert requests.post(f"{lab.attacker.url}/collect", body, timeout=20).status_code == status
    assert list(map(str, lab.loot)) == (
        ["localStorage.accessToken: 8 characters"] if status == 204 else []
    )


def test_the_attacker_keeps_no_more_than_a_hundred_finds(lab: TokenLab) -> None:
    for _ in range(101):
        lab.attacker.receive("x" * 99, "y")
    assert len(lab.loot) == 100
    assert len(lab.loot[0].where) == 60


# The model of a browser


class OneCookie(LocalServer):
    """Sets the cookie that the query names, and answers with those that came."""

    def __init__(self) -> None:
        app = Flask("one cookie", static_folder=None)

        @app.route("/<path:_>", methods=["GET", "POST"])
        def answer(_: str) -> Response:
            sent = Response(" ".join(sorted(request.cookies)))
            for each in request.args.getlist("set"):
                sent.headers.add("Set-Cookie", each)
            return sent

        super().__init__(app, kind="one cookie", name="one cookie")


@pytest.fixture
def site() -> Iterator[OneCookie]:
    with OneCookie() as site:
        yield site


def test_a_cookie_expires_by_the_browsers_clock(site: OneCookie) -> None:
    clock = DemoClock(start=START, rate=0)
    browser = ModelBrowser(clock)
    browser.open(f"{site.url}/x?set=a=1; Path=/; Max-Age=60&set=b=1; Path=/")
    clock.advance(59)
    assert browser.open(f"{site.url}/x").text == "a b"
    clock.advance(1)
    assert browser.open(f"{site.url}/x").text == "b"
    browser.open(f"{site.url}/x?set=b=; Path=/; Max-Age=0; Expires=Sat, 28 Nov 2026 08:11:51 GMT")
    assert browser.open(f"{site.url}/x").text == ""


def test_a_cookie_without_the_attribute_is_lax_after_two_minutes(site: OneCookie) -> None:
    clock = DemoClock(start=START, rate=0)
    browser = ModelBrowser(clock)
    far = site.url.replace("127.0.0.1", "localhost")
    browser.open(f"{site.url}/x?set=unset=1; Path=/")
    clock.advance(119)
    assert browser.submit(far, f"{site.url}/x", {}).text == "unset"
    clock.advance(1)
    assert browser.submit(far, f"{site.url}/x", {}).text == ""
    assert browser.click_link(far, f"{site.url}/x").text == "unset"


def test_a_path_ends_at_a_slash(site: OneCookie) -> None:
    browser = ModelBrowser(DemoClock(rate=0))
    browser.open(f"{site.url}/x?set=a=1; Path=/x")
    paths = ("x", "x/y", "xy", "y")
    assert [browser.open(f"{site.url}/{path}").text for path in paths] == ["a", "a", "", ""]


def test_a_script_sends_to_its_own_origin(site: OneCookie) -> None:
    browser = ModelBrowser(DemoClock(rate=0))
    assert browser.fetch(f"{site.url}/x", "GET", "/y").status_code == 200
    with pytest.raises(ValueError, match="own origin"):
        browser.fetch(f"{site.url}/x", "GET", "http://localhost:1/y")


def test_another_port_of_the_host_is_the_same_site(site: OneCookie) -> None:
    browser = ModelBrowser(DemoClock(rate=0))
    browser.open(f"{site.url}/x?set=strict=1; Path=/; SameSite=Strict")
    assert browser.submit("http://127.0.0.1:1/", f"{site.url}/x", {}).text == "strict"
    assert browser.submit("http://localhost:1/", f"{site.url}/x", {}).text == ""
    assert browser.click_link("http://localhost:1/", f"{site.url}/x").text == ""
