"""The tour's view, by its buttons, with no browser."""

from __future__ import annotations

import html
import re
import threading
import time
from collections.abc import Iterator

import pytest
from ipywidgets import HTML, HBox

from client_widget import AuthClient, TourView
from demo_server import DemoClock, DemoServer

from ...conftest import Gate
from ..tour.test_tour import USUAL
from .buttons import widgets_in

WAYS = ["Next step", "Back to the start"]
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def view(client: AuthClient, clock: DemoClock) -> Iterator[TourView]:
    view = TourView(client, clock=clock)
    yield view
    view.wait()
    view.close()


def press(view: TourView, *labels: str) -> None:
    for label in labels:
        button = view.buttons[label]
        assert not button.disabled, label
        button.click()
        view.wait()


def text_of(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", " ", markup))


def usable(view: TourView) -> list[str]:
    return [label for label, button in view.buttons.items() if not button.disabled]


def answers(view: TourView) -> list[str]:
    assert view.tour is not None
    return [answer.text for answer in view.tour.step.answers]


def verdict(view: TourView) -> str:
    [said] = re.findall(r'lab-tour-verdict">([^<]*)', view.outcome.value)
    return html.unescape(said)


def marks(view: TourView) -> list[str]:
    rows = [row.children for row in view.children if isinstance(row, HBox)]
    return [text_of(mark.value).strip() for _, mark in rows if isinstance(mark, HTML)]


def test_the_whole_story_by_its_buttons(view: TourView) -> None:
    told = []
    for number, answer in enumerate(USUAL, 1):
        assert f"Step {number} of 9" in text_of(view.head.value)
        assert usable(view) == answers(view) + (WAYS[1:] if number > 1 else [])
        press(view, answer)
        told.append(verdict(view))
        assert usable(view) == (WAYS if number < 9 else WAYS[1:])
        if number < 9:
            press(view, "Next step")
    assert told == [f"Your answer is right. What happened: {answer}" for answer in USUAL]
    assert "Score: 9 of 9 right" in text_of(view.head.value)
    assert "The tour is complete: 9 of 9 right." in text_of(view.outcome.value)
    press(view, "Back to the start")
    assert "Step 1 of 9" in text_of(view.head.value)
    assert "no guess yet" in text_of(view.head.value)
    assert view.outcome.value == ""


def test_a_wrong_answer_is_said_to_be_wrong(view: TourView) -> None:
    press(view, "The server sends the page.")
    assert verdict(view) == f"Your answer is not right. What happened: {USUAL[0]}"
    assert "Score: 0 of 1 right" in text_of(view.head.value)
    assert marks(view) == ["your answer", "✓ this happened", "", ""]
    press(view, "Next step")
    assert marks(view) == ["", "", "", ""]


def test_the_events_stand_as_lines_in_plain_words(view: TourView) -> None:
    press(view, USUAL[0])
    lines = [text_of(line).split(maxsplit=1) for line in view.outcome.value.split("<li")[1:]]
    assert [line[1].split(maxsplit=1)[1].strip() for line in lines] == [
        "GET /home without a token",
        "/home: the request carried no token",
        "403 Forbidden for GET /home: The request carries no bearer token",
    ]


def test_no_step_blocks_the_kernel(view: TourView, gate: Gate) -> None:
    go = threading.Event()
    gate.hold = lambda name, fields: go if name == "token.rejected" else None
    view.buttons[USUAL[0]].click()
    assert usable(view) == []
    assert "under way" in view.notice.value
    with pytest.raises(TimeoutError, match="under way"):
        view.wait(timeout=0.01)
    view.buttons[USUAL[0]].click()  # is not counted
    go.set()
    view.wait()
    assert usable(view) == WAYS
    assert text_of(view.notice.value).strip() == ""
    assert [thread.name for thread in threading.enumerate() if thread.name == "The step"] == []


def test_a_server_that_is_gone_is_said_and_the_step_tried_again(
    view: TourView, server: DemoServer
) -> None:
    for answer in USUAL[:4]:
        press(view, answer, "Next step")
    server.stop()
    press(view, USUAL[4])
    assert "Is the server running? Nothing is lost" in text_of(view.notice.value)
    assert view.outcome.value == ""
    assert usable(view) == [*answers(view), "Back to the start"]
    server.start()
    press(view, USUAL[4])
    assert text_of(view.notice.value).strip() == ""
    assert verdict(view).startswith("Your answer is right.")
    assert "Score: 5 of 5 right" in text_of(view.head.value)


def test_a_clock_that_cannot_be_moved_is_said(client: AuthClient) -> None:
    view = TourView(client, clock=time.time)
    assert "needs a clock that can be moved" in text_of(view.notice.value)
    assert (view.tour, view.buttons) == (None, {})
    view.close()


def test_the_clock_of_the_client_will_do(client: AuthClient) -> None:
    view = TourView(client)
    assert view.tour is not None
    view.close()


def test_what_a_server_says_is_text(
    view: TourView, client: AuthClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def home() -> None:
        client.log.record(
            "response.received",
            source=MARKUP,
            method="GET",
            path="/home",
            purpose="call",
            status=418,
            message=MARKUP,
        )

    monkeypatch.setattr(client, "home", home)
    press(view, "Something else.")
    assert verdict(view) == "Your answer is right. What happened: Something else."
    assert "<img" not in view.outcome.value
    assert text_of(view.outcome.value).count(MARKUP) >= 2


def test_what_is_saved_holds_no_secret(
    view: TourView, client: AuthClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets: set[str] = set()
    real = client.login

    def login(username: str, password: str) -> dict[str, str]:
        answer = real(username, password)
        secrets.update((password, *answer.values()))
        return answer

    monkeypatch.setattr(client, "login", login)
    for number, answer in enumerate(USUAL, 1):
        press(view, answer)
        pair = client.store.get()
        if pair is not None:
            secrets |= {pair.access, pair.refresh, pair.access.split(".")[2]}
        saved = repr([widget.get_state() for widget in widgets_in(view)]) + repr(view.tour)
        assert [secret for secret in secrets if secret in saved] == []
        if number < 9:
            press(view, "Next step")
    assert len(secrets) >= 6
    assert repr(view) == "TourView: run this cell to see it"
