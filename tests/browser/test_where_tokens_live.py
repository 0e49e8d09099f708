"""Lesson 10's attacks in Chromium. The model browser of the notebook must come to the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask, Response, request
from jwt_course.lesson_10 import ModelBrowser, TokenLab, verdict
from playwright.sync_api import Browser, Page, expect

from demo_server.serving.local_server import LocalServer

PLACES = ("localStorage", "memory", "cookie")


@contextmanager
def lab_in(browser: Browser, protection: str) -> Iterator[tuple[TokenLab, Page]]:
    """A lab, and an empty window in a browser without cookies."""
    lab = TokenLab(protection)
    context = browser.new_context()
    yield lab, context.new_page()
    context.close()
    lab.stop()


def log_in(page: Page, lab: TokenLab, place: str) -> None:
    """Log ada in on the board, with her tokens in that place."""
    page.get_by_label("Tokens in").select_option(place)
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(lab.password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("status")).to_have_text("ada is logged in.")


def go_home(page: Page, place: str) -> None:
    page.get_by_label("Tokens in").select_option(place)
    page.get_by_role("button", name="Home").click()
    expect(page.get_by_role("status")).to_have_text("Welcome ada")


def found(lab: TokenLab) -> set[str]:
    return {str(loot) for loot in lab.loot}


def in_the_model(protection: str, place: str) -> tuple[set[str], str]:
    """What the script finds and what note it leaves, by the notebook's model."""
    lab = TokenLab(protection)
    lab.open_board(place).log_in("ada", lab.password)
    lab.inject()
    page = lab.open_board(place)
    if place == "memory":  # they were lost when the page was closed
        page.log_in("ada", lab.password)
        page.home()
    lab.stop()
    return found(lab), lab.note


@pytest.mark.parametrize("place", PLACES)
def test_an_injected_script_finds_what_the_place_lets_it(browser: Browser, place: str) -> None:
    expected = in_the_model("both", place)
    with lab_in(browser, "both") as (lab, page):
        page.goto(lab.victim.board_url)
        log_in(page, lab, place)
        lab.inject()
        with page.expect_response("**/cookie/note"):  # the script's last step
            page.reload()
        if place == "memory":
            log_in(page, lab, place)
            with page.expect_response("**/collect"):
                go_home(page, place)
        for _ in range(500):  # the reports come in separate requests
            if found(lab) >= expected[0]:
                break
            page.evaluate("fetch('messages').then((response) => response.text())")
        assert (found(lab), lab.note) == expected
        if place == "cookie":  # ada sees what was done in her name
            page.get_by_role("button", name="Home").click()
            expect(page.get_by_role("status")).to_have_text(f"Welcome ada. Your note: {lab.note}")
        tokens = [loot for loot in lab.loot if "of ada" in loot.shown]
        assert bool(tokens) == (place != "cookie")
        for loot in tokens:
            assert lab.use(loot).ok  # it works on another machine
            assert loot.token not in repr(loot) + str(loot)
        held = page.evaluate("document.cookie") + str(page.evaluate("({ ...localStorage })"))
        assert ("eyJ" in held) == (place == "localStorage")


def test_a_content_security_policy_keeps_the_injected_script_out(browser: Browser) -> None:
    with lab_in(browser, "both") as (lab, page):
        lab.victim.csp = True
        page.goto(lab.victim.board_url)
        log_in(page, lab, "localStorage")
        lab.inject()
        with page.expect_event("console", lambda said: "Content Security Policy" in said.text):
            page.goto(lab.victim.board_url)
        go_home(page, "localStorage")
        assert (lab.loot, lab.note) == ([], "")


def test_a_form_on_another_site_forges_only_where_nothing_stops_it(browser: Browser) -> None:
    notes = {}
    for protection in ("careless", "samesite", "csrf_token", "both"):
        model = TokenLab(protection)
        model.open_board("cookie").log_in("ada", model.password)
        expected, note, said = verdict(model.visit_prize()), model.note, model.said()
        with lab_in(browser, protection) as (lab, page):
            page.goto(lab.victim.board_url)
            log_in(page, lab, "cookie")
            kept = {each["name"]: each for each in page.context.cookies()}  # type: ignore[typeddict-item]
            csrf = {"__Host-csrf"} if protection in ("csrf_token", "both") else set()
            assert kept.keys() == {"__Host-access", "__Secure-refresh"} | csrf
            assert kept["__Secure-refresh"]["path"] == "/cookie/refresh"
            assert {name for name in kept if not kept[name]["httpOnly"]} == csrf

            page.goto(lab.attacker.prize_url)
            with page.expect_response("**/cookie/note") as answered:
                page.get_by_role("button", name="Claim your prize").click()
            body = answered.value.json()
            words = body.get("note") or body.get("error") or body["message"]
            assert f"{answered.value.status} {words}" == expected
            assert (lab.note, lab.said()) == (note, said)
            assert said[-1].endswith("; sent by a page of another site")
            notes[protection] = lab.note
    assert notes.pop("careless") == "Forged by mallory's form"
    assert set(notes.values()) == {""}


COOKIES = [
    "__Host-none=1; Path=/; Secure; HttpOnly; SameSite=None",
    "__Secure-narrow=1; Path=/narrow; Secure; SameSite=None",
    "lax=1; Path=/; SameSite=Lax",
    "strict=1; Path=/; SameSite=Strict",
    "unset=1; Path=/",
    "gone=1; Path=/; Max-Age=0",
    "__Host-narrow=1; Path=/narrow; Secure",  # these break a rule
    "__Host-insecure=1; Path=/",
    "__Secure-insecure=1; Path=/",
    "insecure=1; Path=/; SameSite=None",
]

PAGE = """<meta name="referrer" content="no-referrer"><link rel="icon" href="data:,">
<form method="post" action="TARGET"><button>send</button></form><a href="TARGET">link</a>"""


class CookieSite(LocalServer):
    """Sets `COOKIES`, and notes what each visit carries."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, list[str]]] = []
        app = Flask("cookies", static_folder=None)

        @app.get("/page")
        def page() -> str:
            return PAGE.replace("TARGET", request.args["target"])

        @app.get("/set")
        def cookies() -> Response:
            answer = Response(PAGE, content_type="text/html")
            for cookie in COOKIES:
                answer.headers.add("Set-Cookie", cookie)
            return answer

        @app.route("/visit", methods=["GET", "POST"])
        @app.route("/narrow/visit", methods=["GET", "POST"])
        def visit() -> str:
            self.seen.append((request.headers["Sec-Fetch-Site"], sorted(request.cookies)))
            return "seen"

        super().__init__(app, kind="cookie site", name="cookies")


def test_the_model_sends_the_cookies_that_chromium_sends(browser: Browser) -> None:
    """Without `SameSite`, Chromium sends a new cookie with a form of another site."""
    with CookieSite() as site:
        far = site.url.replace("127.0.0.1", "localhost")
        narrow = f"{site.url}/narrow/visit"
        model = ModelBrowser(lambda: 0.0)
        page = browser.new_context().new_page()
        for where in ("set", "visit", "narrow/visit"):
            model.open(f"{site.url}/{where}")
        expected = site.seen[:]
        site.seen.clear()
        for where in ("set", "visit", "narrow/visit"):
            page.goto(f"{site.url}/{where}")
        assert site.seen == expected

        start = f"{far}/page?target={narrow}"
        site.seen.clear()
        model.submit(start, narrow, {})
        model.click_link(start, narrow)
        expected = site.seen[:]
        site.seen.clear()
        for control in ("button", "a"):
            page.goto(start)
            page.locator(control).click()
            page.wait_for_url(narrow)
        assert site.seen == expected
        assert expected == [
            ("cross-site", ["__Host-none", "__Secure-narrow", "unset"]),
            ("cross-site", ["__Host-none", "__Secure-narrow", "lax", "unset"]),
        ]
        page.goto(f"{site.url}/page?target=")
        readable = page.evaluate("document.cookie.split('; ').map((each) => each.split('=')[0])")
        assert sorted(model.document_cookie(site.url)) == sorted(readable)
        assert sorted(readable) == ["lax", "strict", "unset"]
        page.context.close()
