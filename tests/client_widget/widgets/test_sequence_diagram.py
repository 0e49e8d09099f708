"""The view that draws the log as a sequence."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from client_widget import AuthClient, DiagramView, EventLog
from client_widget.client.stepper import stepper_of
from client_widget.widgets.background import at_once
from client_widget.widgets.pictures.sequence_diagram import LAST_ACTION, WHOLE_SESSION
from demo_server import DemoClock

from ...conftest import PASSWORD
from .buttons import receive, until, widgets_in


@pytest.fixture
def view(client: AuthClient) -> Iterator[DiagramView]:
    view = DiagramView(client)
    yield view
    view.close()


def asks(view: DiagramView) -> list[str]:
    """What the buttons in the picture ask for."""
    return re.findall(r'data-asks="(\w+)"', view.picture.value)


def test_it_shows_what_is_there(ada: AuthClient, log: EventLog) -> None:
    view = DiagramView(ada)
    until(lambda: "ada is logged in" in view.picture.value)
    assert view.picture.value == log.to_svg(log.action()[0].correlation)
    view.close()


def test_it_is_drawn_again_as_events_come(
    view: DiagramView, ada: AuthClient, clock: DemoClock
) -> None:
    clock.advance(61)
    ada.home()
    until(lambda: "#3 GET /home again" in view.picture.value)


def test_the_page_has_the_style_sheet_once(view: DiagramView, ada: AuthClient) -> None:
    until(lambda: "ada is logged in" in view.picture.value)
    sent = view.picture.get_state()
    assert "ada is logged in" in sent["value"]
    assert "<style>" not in sent["value"]
    style = view.picture.value.partition("<style>")[2].partition("</style>")[0]
    assert sent["_css"].startswith(style)


def test_many_events_are_few_drawings(view: DiagramView, log: EventLog) -> None:
    drawn: list[Any] = []
    view.picture.observe(drawn.append, "value")
    for _ in range(500):
        log.record("session.ended", source="client", correlation="a1", reason="logged_out")
    until(lambda: "of 500 events" in view.picture.value)
    assert len(drawn) < 20


def test_the_toggle_chooses_what_is_shown(
    view: DiagramView, ada: AuthClient, log: EventLog
) -> None:
    assert (view.choice.options, view.choice.value) == (
        (LAST_ACTION, WHOLE_SESSION),
        "Last action",
    )
    view.choice.value = "Whole session"
    assert view.picture.value == log.to_svg()
    view.choice.value = "Last action"
    assert view.picture.value == log.to_svg(log.action()[0].correlation)


def test_a_held_message_is_shown_until_it_is_sent(view: DiagramView, ada: AuthClient) -> None:
    stepper = stepper_of(ada)
    stepper.on = True
    call = threading.Thread(target=ada.home)
    call.start()
    until(lambda: "GET /home (call) is held" in view.picture.value)
    stepper.on = False
    call.join(timeout=20)
    until(lambda: "#3 GET /home" in view.picture.value)
    until(lambda: "is held" not in view.picture.value)


def test_a_held_message_is_sent_from_the_picture(view: DiagramView, ada: AuthClient) -> None:
    stepper = stepper_of(ada)
    stepper.on = True
    call = threading.Thread(target=ada.home)
    call.start()
    until(lambda: asks(view) == ["send"])
    receive(view.picture, {"asks": "send"})
    call.join(timeout=20)
    until(lambda: ">200</text>" in view.picture.value)
    assert asks(view) == []
    receive(view.picture, {"asks": "send"})  # a second click, of a page that is late
    receive(view.picture, {"asks": "nothing that is known"})


def test_a_message_of_a_cell_has_no_button(view: DiagramView, ada: AuthClient) -> None:
    stepper_of(ada).on = True

    async def cell() -> None:
        ada.home()

    call = threading.Thread(target=lambda: asyncio.run(cell()))
    call.start()
    until(lambda: "is held" in view.picture.value)
    assert asks(view) == []
    stepper_of(ada).on = False
    call.join(timeout=20)


def test_calls_at_once_open_and_close(view: DiagramView, ada: AuthClient, log: EventLog) -> None:
    at_once(5, ada.home)
    until(lambda: "×5" in view.picture.value)
    assert asks(view) == ["apart"]
    assert 'aria-expanded="false"' in view.picture.value
    receive(view.picture, {"asks": "apart"})
    assert view.apart
    assert asks(view) == ["apart"]
    assert 'aria-expanded="true"' in view.picture.value
    assert all(f">#{n}</text>" in view.picture.value for n in range(3, 8))
    receive(view.picture, {"asks": "apart"})
    assert "×5" in view.picture.value


def test_a_new_refresh_plays_once(ada: AuthClient, clock: DemoClock, log: EventLog) -> None:
    clock.advance(61)
    ada.home()  # before the view: it does not play
    view = DiagramView(ada)
    until(lambda: view.picture.value == log.to_svg(log.action()[0].correlation))
    played: list[object] = []
    view.picture.send = lambda content, buffers=None: played.append(content)
    ada.home()  # neither does a call that needs no refresh
    until(lambda: "#4" in view.picture.value)
    assert played == []
    clock.advance(61)
    ada.home()
    until(lambda: played == [{"type": "play"}])
    assert "lab-travel" in view.picture.value
    view.choice.value = WHOLE_SESSION
    view.choice.value = LAST_ACTION
    assert "#5 GET /home again" in view.picture.value
    assert "lab-travel" not in view.picture.value
    assert len(played) == 1
    view.close()


def test_a_closed_view_is_not_drawn_again(log: EventLog, client: AuthClient) -> None:
    others = set(threading.enumerate())

    def pulses() -> list[str]:
        new = set(threading.enumerate()) - others
        return [thread.name for thread in new if thread.name == "pulse"]

    view = DiagramView(client)
    until(lambda: view.picture.value != "" and not pulses())
    before = view.picture.value
    client.register("ada", PASSWORD)
    view.close()  # with a drawing due, or just done
    before = view.picture.value
    until(lambda: not pulses())
    client.login("ada", PASSWORD)
    view.choice.value = WHOLE_SESSION
    assert not pulses()
    assert view.picture.value == before


def test_what_is_saved_holds_no_secret(
    view: DiagramView, ada: AuthClient, clock: DemoClock
) -> None:
    pair = ada.store.get()
    assert pair is not None
    clock.advance(61)
    ada.home()
    view.choice.value = WHOLE_SESSION
    saved = repr([widget.get_state() for widget in widgets_in(view)])
    assert "is logged in" in saved
    for secret in (PASSWORD, pair.access, pair.refresh, pair.access.split(".")[2]):
        assert secret not in saved
    assert repr(view) == "DiagramView: run this cell to see it"
