"""The panel as a page, which Voilà serves for a classroom."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ..client_widget.widgets.buttons import until
from ..deploy.made import Made, lab_folder
from .panel import Panel, log_in, ordered
from .serving import free_port, own_environment
from .test_looks import SMALLEST, faults

#: Seconds for which a kernel that no page shows waits, in this test.
KEPT = 5


def runs(classroom: str, session: str) -> bool:
    """Is there a kernel for this session?"""
    try:
        with urllib.request.urlopen(f"{classroom}api/kernels/{session}", timeout=20):
            return True
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return False


def end(classroom: str, session: str) -> None:
    """End a session's kernel, as the server does when no page shows it."""
    request = urllib.request.Request(
        f"{classroom}voila/api/shutdown/{session}",
        method="POST",
        headers={"Cookie": "_xsrf=of-the-test", "X-XSRFToken": "of-the-test"},
    )
    with urllib.request.urlopen(request, timeout=20):
        pass


def session_on(page: Page) -> str:
    return page.url.partition("?session=")[2]


class Classroom:
    """`make classroom`, on a free port."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}/"
        options = (
            "--no-browser",
            f"--port={port}",
            f"--MappingKernelManager.cull_idle_timeout={KEPT}",
            "--MappingKernelManager.cull_interval=1",
        )
        words = f"VOILA_ARGS={' '.join(options)}"
        self.made = Made(lab_folder(folder), "classroom", words, env=own_environment(folder))
        self.made.wait_for(self.answers)

    def answers(self) -> bool:
        with suppress(OSError):
            # A file of Voilà's own: its page would start a kernel.
            urllib.request.urlopen(f"{self.address}voila/static/voila.js", timeout=20).close()
            return True
        return False


@pytest.fixture
def classroom(tmp_path: Path) -> Iterator[Classroom]:
    classroom = Classroom(tmp_path)
    yield classroom
    classroom.made.end()


def test_the_classroom_page(classroom: Classroom, fresh_page: Page, browser: Browser) -> None:
    asked: list[str] = []
    fresh_page.on("request", lambda request: asked.append(request.url))
    # The page loads once its kernel has run the notebook.
    fresh_page.goto(classroom.address, timeout=60_000)
    panel = Panel(fresh_page)
    log_in(panel)
    panel.press("Home")
    expect(panel.home("Welcome ada")).to_be_visible()
    panel.press("+61 s", "Home")
    story = ordered(
        "the clock moved by 61 s",
        "403 Forbidden for GET /home",
        "POST /refresh",
        "GET /home again",
        "200 OK for GET /home",
    )
    expect(panel.log).to_contain_text(story)
    flow = fresh_page.get_by_role("img", name="The flow of Home")
    expect(flow).to_contain_text(ordered("#4 GET /home", "403 expired", "POST /refresh"))
    expect(flow.get_by_text("Welcome ada", exact=True)).to_be_visible()

    # The panel begins at the top and fills the screen; no code and no text for developers.
    box = fresh_page.locator(".lab-panel").bounding_box()
    window = fresh_page.viewport_size
    assert box is not None
    assert window is not None
    assert (box["x"], box["y"], box["width"]) == (0, 0, window["width"])
    assert box["height"] >= window["height"]
    expect(fresh_page.locator("body")).not_to_contain_text("DemoClock")
    expect(fresh_page.locator("body")).not_to_contain_text("make classroom")

    # Light and dark follow the reader's system; the projector is readable in both.
    panel.press("Projector")
    backgrounds = []
    for scheme in ("dark", "light"):
        fresh_page.emulate_media(color_scheme=scheme)
        expect(fresh_page.locator("body")).to_have_attribute(
            "data-jp-theme-light", str(scheme == "light").lower()
        )
        assert faults(fresh_page, "body") == [], scheme
        share, words = fresh_page.locator(".lab-panel").evaluate(SMALLEST)
        assert share >= 0.022, words
        backgrounds.append(flow.evaluate("(picture) => getComputedStyle(picture).backgroundColor"))
    assert len(set(backgrounds)) == 2

    # The projector's panel is higher than the window: the page scrolls, by the keyboard as well.
    expect(fresh_page.get_by_role("tab", name="Tour", exact=True)).not_to_be_in_viewport()
    fresh_page.keyboard.press("End")
    expect(fresh_page.get_by_role("tab", name="Tour", exact=True)).to_be_in_viewport()

    # A reload keeps the session; another visitor has another one.
    fresh_page.reload(timeout=60_000)
    expect(panel.home("Welcome ada")).to_be_visible()
    expect(panel.log).to_contain_text(story)
    panel.press("Home")
    expect(flow).to_contain_text("#5 GET /home")
    with browser.new_page() as other:
        other.goto(classroom.address, timeout=60_000)
        expect(Panel(other).says("Register, then log in.")).to_be_visible()
        theirs = session_on(other)

    # Nobody watches the other kernel, so it ends. This page is open, so its kernel stays.
    until(lambda: not runs(classroom.address, theirs))
    assert runs(classroom.address, session_on(fresh_page))
    assert [url for url in asked if not url.startswith((classroom.address, "data:", "blob:"))] == []


def test_a_session_or_a_server_that_is_gone_is_said(classroom: Classroom, browser: Browser) -> None:
    with browser.new_page() as page:
        page.goto(classroom.address, timeout=60_000)
        expect(Panel(page).username).to_be_visible()
        Panel(page).press("Projector")  # then the panel is higher than the window
        expect(page.locator(".lab-projector")).to_be_visible()
        alert = page.get_by_role("alert")
        expect(alert).to_have_count(0)
        session = session_on(page)
        end(classroom.address, session)
        expect(alert).to_contain_text("This session has ended")
        assert faults(page, "body") == []
        page.keyboard.press("End")
        expect(page.get_by_role("tab", name="Tour", exact=True)).to_be_in_viewport()
        expect(alert).to_be_in_viewport()
        alert.get_by_role("link", name="Start again").click()
        expect(Panel(page).says("Register, then log in.")).to_be_visible()
        assert session_on(page) != session
        expect(alert).to_have_count(0)
        # Ctrl-C ends the server and its visitors' kernels.
        assert len(classroom.made.processes()) == 2
        assert classroom.made.end() == []
        assert "Traceback" not in classroom.made.log()
        expect(alert).to_contain_text("The server does not answer")
