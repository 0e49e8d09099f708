"""The panel, by its buttons, with no browser."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter

import ipywidgets
import pytest

from client_widget import AuthClient, EventLog, LoginPanel
from client_widget.widgets.live_log import LogView
from demo_server import DemoClock, DemoServer

from ...conftest import PASSWORD, Gate, in_threads
from .buttons import MARKUP, fill, log_in, press, receive, saved, until


def test_fields_and_buttons_have_their_names(panel: LoginPanel) -> None:
    assert (panel.username.description, panel.password.description) == ("Username", "Password")
    assert isinstance(panel.password, ipywidgets.Password)
    labels = [
        *["Register", "Log in", "Home", "Log out", "5 × Home"],
        *["+61 s", "+301 s", "1 s before expiry"],
    ]
    assert list(panel.buttons) == labels
    assert [button.description for button in panel.buttons.values()] == labels


def test_a_closer_view_is_imported_when_its_tab_opens(
    client: AuthClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = {f"client_widget.widgets.{name}" for name in ("tour", "token_inspector")}
    for name in modules:
        monkeypatch.delitem(sys.modules, name, raising=False)
    panel = LoginPanel(client)
    assert not modules & set(sys.modules)
    panel.tabs.show("Tokens")
    panel.tabs.show("Tour")
    assert modules <= set(sys.modules)
    panel.close()


def test_threads_that_draw_at_once_disturb_no_call(panel: LoginPanel, client: AuthClient) -> None:
    """A tick redraws the panel while a call marks its buttons."""
    log_in(panel)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(20):
            client.logout()
            assert in_threads(4, lambda: [panel.refresh() for _ in range(5)]) == [[None] * 5] * 4
            client.login("ada", PASSWORD)
            assert in_threads(4, lambda: [panel.refresh() for _ in range(5)]) == [[None] * 5] * 4
    finally:
        sys.setswitchinterval(interval)


def test_the_articles_session_by_hand(panel: LoginPanel, clock: DemoClock, log: EventLog) -> None:
    assert "store is empty" in panel.tokens.value
    log_in(panel)
    assert "ada is logged in" in panel.notice.value
    assert "60 s left" in panel.tokens.value
    assert "300 s left" in panel.tokens.value

    press(panel, "Home")
    assert "Welcome ada" in panel.home.value

    press(panel, "+61 s")
    until(lambda: "expired 1 s ago" in panel.tokens.value)
    assert "239 s left" in panel.tokens.value
    press(panel, "Home")
    assert "Welcome ada" in panel.home.value
    assert "60 s left" in panel.tokens.value
    assert [e.name for e in log.action() if e.source == "client"][-4:] == [
        "response.received",
        "token.refreshed",
        "request.retried",
        "response.received",
    ]

    press(panel, "+301 s", "Home")
    assert "log in again" in panel.notice.value
    assert "Welcome" not in panel.home.value
    assert "store is empty" in panel.tokens.value

    fill(panel)
    press(panel, "Log in", "Home", "Log out")
    assert "You are logged out" in panel.notice.value
    assert "Log in to see" in panel.home.value


def test_the_panel_says_where_the_wire_is_not_real(panel: LoginPanel, clock: DemoClock) -> None:
    def note(of: LoginPanel) -> bool:
        return "the wire is not" in saved(of)

    with DemoServer(clock=clock, transport="in-process") as server:
        here = LoginPanel(AuthClient(server.url, clock=clock), clock=clock)
    assert (note(here), note(panel)) == (True, False)
    here.close()


def test_five_calls_at_once_cost_one_refresh_every_time(panel: LoginPanel, log: EventLog) -> None:
    log_in(panel)
    for _ in range(4):
        press(panel, "+61 s", "5 × Home")
        assert "All five calls were answered" in panel.notice.value
        assert "Welcome ada" in panel.home.value
        counts = Counter(event.name for event in log.action())
        assert (counts["token.expired"], counts["token.refreshed"]) == (5, 1)
        assert counts["request.retried"] == 5
    press(panel, "Log out", "5 × Home")
    assert "log in first" in panel.notice.value


@pytest.mark.parametrize(
    ("username", "password", "words"),
    [
        ("bob", PASSWORD, "Refused (401): user does not exist!"),
        ("ada", "wrong", "Refused (400): Unauthorized: Wrong Password!!"),
        ("", "", "Refused (400): Enter a username."),
    ],
)
def test_a_refusal_is_said_in_words(
    panel: LoginPanel, username: str, password: str, words: str
) -> None:
    log_in(panel)
    fill(panel, username, password)
    press(panel, "Log in")
    assert words in panel.notice.value


def test_a_name_is_sent_in_nfc_however_the_keyboard_wrote_it(panel: LoginPanel) -> None:
    for label in ("Register", "Log in", "Home"):
        fill(panel, "Jose\u0301", PASSWORD)
        press(panel, label)
    assert "Welcome Jos\u00e9" in panel.home.value


def test_the_password_leaves_its_field_when_it_is_used(panel: LoginPanel) -> None:
    for label in ("Register", "Log in"):
        fill(panel)
        panel.buttons[label].click()
        panel.wait()
        assert panel.password.value == ""
    assert panel.username.value == "ada"


def test_text_that_a_click_has_overtaken_is_used(panel: LoginPanel, client: AuthClient) -> None:
    """A browser sends letter by letter: the last may arrive after the click."""
    client.register("ada", PASSWORD)
    fill(panel, "ada", PASSWORD[:1])
    panel.buttons["Log in"].click()
    panel.password.value = PASSWORD
    panel.wait()
    assert "ada is logged in" in panel.notice.value


def test_enter_in_the_password_field_logs_in(panel: LoginPanel, client: AuthClient) -> None:
    client.register("ada", PASSWORD)
    panel.username.value = "ada"
    receive(panel.password, {"event": "submit"})
    panel.password.value = PASSWORD  # a browser sends the key first, then the text
    until(lambda: "ada is logged in" in panel.notice.value)


def test_what_is_saved_holds_no_secret(panel: LoginPanel, client: AuthClient) -> None:
    log_in(panel)
    press(panel, "Home")
    pair = client.store.get()
    assert pair is not None
    for secret in (PASSWORD, pair.access, pair.refresh, pair.access.split(".")[2]):
        assert secret not in saved(panel)
    assert repr(panel) == "LoginPanel: run this cell to see it"


def test_what_a_user_typed_is_text(panel: LoginPanel) -> None:
    log_in(panel, MARKUP)
    press(panel, "Home")
    shown = panel.notice.value + panel.home.value + panel.tokens.value
    assert "<img" not in shown
    assert "&lt;img src=x onerror=alert(1)&gt;" in panel.home.value
    assert "&lt;img src=x onerror=alert(1)&gt;" in panel.tokens.value


def test_no_call_blocks_the_kernel(panel: LoginPanel, gate: Gate) -> None:
    """The click comes back while the server is held; the button waits for its call."""
    log_in(panel)
    go = threading.Event()
    gate.hold = lambda name, fields: go if name == "token.accepted" else None
    home = panel.buttons["Home"]
    home.click()
    assert home.disabled
    assert not panel.buttons["Log out"].disabled
    panel.buttons["+61 s"].click()  # the rest of the panel goes on
    until(lambda: "expired 1 s ago" in panel.tokens.value)
    go.set()
    panel.wait()
    assert not home.disabled
    assert "Welcome ada" in panel.home.value


def test_a_click_is_shown_at_once_and_so_is_its_end(
    ada: AuthClient, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither waits for the pace at which the log and the flow follow the events between them."""
    monkeypatch.setattr("client_widget.widgets.live_log.BATCH", 600)
    monkeypatch.setattr("client_widget.widgets.pictures.sequence_diagram.BATCH", 600)
    rows: list[str] = []
    monkeypatch.setattr(
        LogView, "send", lambda _, message: rows.extend(row["text"] for row in message["rows"])
    )
    panel = LoginPanel(ada)
    go = threading.Event()
    gate.hold = lambda name, fields: go if name == "token.accepted" else None
    panel.buttons["Home"].click()
    until(lambda: bool(rows))
    assert rows == ["Home was pressed"]
    go.set()
    panel.wait()
    assert "OK for GET /home" in rows[-1]
    assert "Welcome ada" in panel.flow.picture.value
    panel.close()


def test_a_wait_that_is_too_long_is_said(panel: LoginPanel, gate: Gate) -> None:
    log_in(panel)
    go = threading.Event()
    gate.hold = lambda name, fields: go if name == "token.accepted" else None
    panel.buttons["Home"].click()
    with pytest.raises(TimeoutError, match="under way"):
        panel.wait(timeout=0.01)
    go.set()


def test_a_button_is_usable_again_after_a_failure(panel: LoginPanel, server: DemoServer) -> None:
    log_in(panel)
    server.stop()
    press(panel, "Home")
    assert "Is the server running?" in panel.notice.value
    assert not panel.buttons["Home"].disabled
    assert "60 s left" in panel.tokens.value  # nothing is lost
    server.start()
    press(panel, "Home")
    assert "Welcome ada" in panel.home.value


def test_time_buttons_need_a_clock_that_can_be_moved(client: AuthClient) -> None:
    panel = LoginPanel(client, clock=time.time)
    assert list(panel.buttons) == ["Register", "Log in", "Home", "Log out", "5 × Home"]
    panel.close()
    panel = LoginPanel(client)  # with the client's own clock
    assert "+61 s" in panel.buttons
    panel.close()


def test_a_move_of_the_clock_is_in_the_log(
    panel: LoginPanel, clock: DemoClock, log: EventLog
) -> None:
    before = clock()
    press(panel, "+61 s")
    clock.advance(301)  # in a cell
    assert clock() == before + 362
    moves = [(e.source, dict(e.fields)) for e in log if e.name == "clock.advanced"]
    assert moves == [("clock", {"seconds": 61}), ("clock", {"seconds": 301})]


def test_what_a_click_causes_is_one_action(
    panel: LoginPanel, clock: DemoClock, log: EventLog
) -> None:
    log_in(panel)
    clock.advance(61)
    press(panel, "Home")
    pressed, *caused = log.action()
    assert (pressed.source, pressed.name) == ("panel", "button.pressed")
    assert dict(pressed.fields) == {"button": "Home", "client": "client"}
    assert [event.name for event in caused if event.source == "client"] == [
        "request.sent",
        "response.received",
        "token.expired",
        "request.sent",
        "response.received",
        "token.refreshed",
        "request.retried",
        "response.received",
    ]
    assert log.to_mermaid(pressed.correlation).splitlines()[:5] == [
        "sequenceDiagram",
        "    participant P as Panel",
        "    participant C1 as Client",
        "    participant S as Server",
        "    P->>C1: Home",
    ]
    panel.client.home()  # outside of a click, another action
    assert log.action()[0].name == "request.sent"


def test_running_the_wiring_twice_doubles_nothing(
    panel: LoginPanel, client: AuthClient, server: DemoServer, clock: DemoClock
) -> None:
    """The second panel has its own log; the first continues with its log."""
    log = EventLog(clock=clock)
    second = LoginPanel(AuthClient(server.url, log=log, clock=clock), clock=clock)
    log_in(second)
    assert [event.name for event in log].count("session.started") == 1
    assert [event.name for event in client.log if event.name == "session.started"] == []
    second.close()


def test_what_happens_in_a_cell_is_seen_on_the_panel(panel: LoginPanel, client: AuthClient) -> None:
    client.register("ada", PASSWORD)
    client.login("ada", PASSWORD)
    until(lambda: "60 s left" in panel.tokens.value)
    client.logout()
    until(lambda: "store is empty" in panel.tokens.value)


def test_the_countdown_ticks(client: AuthClient) -> None:
    clock = DemoClock(rate=20)
    client.clock = clock
    client.register("ada", PASSWORD)
    client.login("ada", PASSWORD)
    panel = LoginPanel(client)
    seen = {panel.tokens.value}
    until(lambda: seen.add(panel.tokens.value) or len(seen) >= 3)  # type: ignore[func-returns-value]
    panel.close()


def pulses() -> list[str]:
    """The threads that redraw."""
    return [thread.name for thread in threading.enumerate() if thread.name == "pulse"]


def test_the_countdown_rests_while_nobody_looks(panel: LoginPanel) -> None:
    receive(panel.presence, {"type": "bye"})
    until(lambda: not pulses())
    receive(panel.presence, {"type": "here"})
    assert pulses()


def test_a_closed_panel_leaves_no_thread(client: AuthClient, clock: DemoClock) -> None:
    until(lambda: not pulses())
    panel = LoginPanel(client, clock=clock)
    assert pulses()
    client.log.record("x", source="test")
    panel.close()
    until(lambda: not pulses())
    client.log.record("x", source="test")
    assert not pulses()


def test_the_next_step_is_marked_on_its_button(panel: LoginPanel) -> None:
    def marked() -> list[str]:
        return [label for label, button in panel.buttons.items() if button.tooltip]

    assert marked() == ["Register"]
    log_in(panel)
    assert marked() == ["Home"]
    press(panel, "Home")
    assert marked() == ["+61 s"]


def test_the_countdown_changes_colour_towards_the_end(panel: LoginPanel) -> None:
    log_in(panel)
    tones = []
    for _ in range(3):
        access = panel.tokens.value.split('<div class="lab-token ')[1]
        tones.append(access.split('"')[0])
        press(panel, "1 s before expiry" if len(tones) == 1 else "+61 s")
        panel.refresh()
    assert tones == ["lab-good", "lab-late", "lab-bad"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_in_the_client_is_said_and_frees_the_button(
    panel: LoginPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client may be a learner's. The text of its error may hold anything."""

    def home() -> None:
        raise KeyError("s3cret")

    monkeypatch.setattr(panel.client, "home", home)
    press(panel, "Home")
    assert "The client failed (KeyError). See the kernel&#x27;s log." in panel.notice.value
    assert not panel.buttons["Home"].disabled
