"""The panel, by its buttons, with no browser."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets
import pytest

from client_widget import AuthClient, EventLog, LoginPanel
from client_widget.log_view import MAX_ROWS, LogView
from client_widget.step_view import StepView
from client_widget.time_controls import PACES, TimeControls
from demo_server import DemoClock, DemoServer

from ..conftest import PASSWORD, Gate, hold_refresh_until_rejected

MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def panel(client: AuthClient, clock: DemoClock) -> Iterator[LoginPanel]:
    panel = LoginPanel(client, clock=clock)
    yield panel
    panel.wait()
    panel.close()


def press(panel: LoginPanel, *labels: str) -> None:
    for label in labels:
        panel.buttons[label].click()
        panel.wait()


def fill(panel: LoginPanel, username: str = "ada", password: str = PASSWORD) -> None:
    panel.username.value, panel.password.value = username, password


def log_in(panel: LoginPanel, username: str = "ada") -> None:
    fill(panel, username)
    press(panel, "Register")
    fill(panel, username)
    press(panel, "Log in")


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does soon."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def widgets_in(widget: ipywidgets.Widget) -> Iterator[ipywidgets.Widget]:
    yield widget
    for name in ("layout", "style"):
        if hasattr(widget, name):
            yield getattr(widget, name)
    for child in getattr(widget, "children", ()):
        yield from widgets_in(child)


def saved(panel: LoginPanel) -> str:
    """What the notebook would save of the panel: the state of all its widgets."""
    return repr([widget.get_state() for widget in widgets_in(panel)])


def test_fields_and_buttons_have_their_names(panel: LoginPanel) -> None:
    assert (panel.username.description, panel.password.description) == ("Username", "Password")
    assert isinstance(panel.password, ipywidgets.Password)
    labels = [
        *["Register", "Log in", "Home", "Log out", "5 × Home"],
        *["+61 s", "+301 s", "1 s before expiry"],
    ]
    assert list(panel.buttons) == labels
    assert [button.description for button in panel.buttons.values()] == labels


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


def test_five_calls_at_once_cost_one_refresh(panel: LoginPanel, log: EventLog, gate: Gate) -> None:
    log_in(panel)
    press(panel, "+61 s")
    hold_refresh_until_rejected(gate, 5)
    press(panel, "5 × Home")
    assert "all answered" in panel.notice.value
    assert "Welcome ada" in panel.home.value
    counts = Counter(event.name for event in log)
    assert (counts["token.expired"], counts["token.refreshed"]) == (5, 1)
    press(panel, "Log out", "5 × Home")
    assert "log in first" in panel.notice.value


@pytest.mark.parametrize(
    ("username", "password", "words"),
    [
        ("bob", PASSWORD, "Refused (401): user does not exist!"),
        ("ada", "wrong", "Refused (400): Unauthorized: Wrong Password!!"),
        ("", "", "Refused (400): username must be a string that is not empty"),
    ],
)
def test_a_refusal_is_said_in_words(
    panel: LoginPanel, username: str, password: str, words: str
) -> None:
    log_in(panel)
    fill(panel, username, password)
    press(panel, "Log in")
    assert words in panel.notice.value


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
    panel.password._handle_custom_msg({"event": "submit"}, [])
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
    assert "is the server running?" in panel.notice.value
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
    press(panel, "+61 s", "+301 s")
    assert clock() == before + 362
    moves = [(e.source, dict(e.fields)) for e in log if e.name == "clock.advanced"]
    assert moves == [("panel", {"seconds": 61}), ("panel", {"seconds": 301})]


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
        "    participant C1 as client",
        "    participant S as Server",
        "    P->>C1: Home",
    ]
    panel.client.home()  # outside of a click, an action of its own
    assert log.action()[0].name == "request.sent"


def test_running_the_wiring_twice_doubles_nothing(
    panel: LoginPanel, client: AuthClient, server: DemoServer, clock: DemoClock
) -> None:
    """The second panel has a log of its own; the first goes on with its own."""
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


def test_a_closed_panel_leaves_no_thread(client: AuthClient, clock: DemoClock) -> None:
    def pulses() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name == "pulse"]

    until(lambda: not pulses())
    panel = LoginPanel(client, clock=clock)
    assert pulses()
    client.log.record("x", source="test")
    panel.close()
    until(lambda: not pulses())
    client.log.record("x", source="test")
    assert not pulses()


class TestTime:
    @pytest.fixture
    def time(self, panel: LoginPanel) -> TimeControls:
        assert panel._time is not None
        return panel._time

    @pytest.mark.parametrize(("label", "rate"), PACES.items())
    def test_the_pace_is_set_and_told(
        self, time: TimeControls, clock: DemoClock, log: EventLog, label: str, rate: float
    ) -> None:
        clock.rate = 7
        time.refresh()
        assert time.pace.value == "Other"  # a pace that a cell has set
        time.pace.value = label
        assert clock.rate == rate
        [event] = [event for event in log if event.name == "clock.paced"]
        assert (event.source, dict(event.fields)) == ("panel", {"rate": rate})

    def test_one_second_before_expiry_is_just_in_time(
        self, panel: LoginPanel, clock: DemoClock, log: EventLog
    ) -> None:
        press(panel, "1 s before expiry")  # nobody is logged in: nothing moves
        assert "clock.advanced" not in [event.name for event in log]
        log_in(panel)
        press(panel, "1 s before expiry", "Home")
        assert "1 s left" in panel.tokens.value
        assert "token.expired" not in [event.name for event in log]
        clock.advance(1)
        press(panel, "1 s before expiry")  # it is behind us: nothing moves
        assert [dict(e.fields) for e in log if e.name == "clock.advanced"] == [{"seconds": 59}]
        press(panel, "Home")
        assert "token.refreshed" in [event.name for event in log]


class TestSteps:
    @pytest.fixture
    def steps(self, panel: LoginPanel) -> StepView:
        log_in(panel)
        assert list(panel.tabs.made) == ["Flow"]  # the others are made when they are opened
        panel.tabs.selected_index = panel.tabs.titles.index("Step by step")
        steps = panel.tabs.made["Step by step"]
        assert isinstance(steps, StepView)
        return steps

    def shown(self, steps: StepView) -> str:
        value: str = steps._message.value
        return value

    def test_a_message_waits_until_it_is_sent(
        self, panel: LoginPanel, steps: StepView, clock: DemoClock
    ) -> None:
        assert "sent at once" in self.shown(steps)
        steps.hold.value = True
        until(lambda: "waits here" in self.shown(steps))
        assert steps.next.disabled
        clock.advance(61)
        panel.buttons["Home"].click()
        for words in ("GET /home   (call)", "POST /refresh   (refresh)", "GET /home   (retry)"):
            until(lambda words=words: words in self.shown(steps))  # type: ignore[misc]
            assert "&lt;token " in self.shown(steps)
            steps.next.click()
        panel.wait()
        assert "Welcome ada" in panel.home.value

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ("no token", "token_missing"),
            ("the other token", "token_invalid"),
            ("a made-up token", "token_malformed"),
        ],
    )
    @pytest.mark.parametrize("message", ["call", "refresh"])
    def test_another_token_is_met_as_it_deserves(
        self,
        panel: LoginPanel,
        steps: StepView,
        log: EventLog,
        clock: DemoClock,
        change: str,
        error: str,
        message: str,
    ) -> None:
        steps.hold.value = True
        if message == "refresh":
            clock.advance(61)
        panel.buttons["Home"].click()
        until(lambda: "(call)" in self.shown(steps))
        if message == "refresh":
            steps.next.click()
            until(lambda: "(refresh)" in self.shown(steps))
        steps.change.value = change
        steps.next.click()
        until(lambda: any(event.fields.get("error") == error for event in log))
        steps.hold.value = False
        panel.wait()
        assert ("log in again" in panel.notice.value) == (message == "refresh")

    def test_a_closed_panel_lets_all_go(
        self, panel: LoginPanel, steps: StepView, client: AuthClient
    ) -> None:
        steps.hold.value = True
        panel.buttons["Home"].click()
        until(lambda: "(call)" in self.shown(steps))
        panel.close()
        panel.wait()
        assert client.home() == {"message": "Welcome ada"}


class TestLogView:
    @pytest.fixture
    def sent(self, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        monkeypatch.setattr(
            LogView, "send", lambda self, content, buffers=None: messages.append(content)
        )
        return messages

    @pytest.fixture
    def view(self, log: EventLog, sent: list[dict[str, Any]]) -> Iterator[LogView]:
        view = LogView(log)
        yield view
        view.close()

    def test_events_come_in_batches_each_once(
        self, view: LogView, log: EventLog, sent: list[dict[str, Any]]
    ) -> None:
        for _ in range(500):
            log.record("x", source="test")
        until(lambda: sum(len(message["rows"]) for message in sent) >= 500)
        rows = [row["seq"] for message in sent for row in message["rows"]]
        assert rows == list(range(1, 501))
        assert {message["type"] for message in sent} == {"rows"}
        assert len(sent) < 100

    def test_a_view_that_says_hello_gets_all_rows(
        self, view: LogView, log: EventLog, sent: list[dict[str, Any]]
    ) -> None:
        for _ in range(MAX_ROWS + 5):
            log.record("x", source="test")
        until(lambda: bool(sent) and sent[-1]["rows"][-1]["seq"] == MAX_ROWS + 5)
        sent.clear()
        for _ in range(2):  # the page is reloaded
            view._handle_custom_msg({"type": "hello"}, [])
        for message in sent:
            assert message["type"] == "reset"
            assert [row["seq"] for row in message["rows"]] == list(range(6, MAX_ROWS + 6))
        assert len(sent) == 2

    def test_a_row_is_plain_text(self, view: LogView, log: EventLog) -> None:
        log.record(
            "response.received",
            source="client",
            correlation="a1",
            method="GET",
            path="/home",
            status=403,
            message=MARKUP,
            elapsed=0.0031,
        )
        sent: list[Any] = []
        view.send = lambda content, buffers=None: sent.append(content)  # type: ignore[method-assign]
        view._handle_custom_msg({"type": "hello"}, [])
        [row] = sent[0]["rows"]
        del row["time"]
        assert row == {
            "seq": 1,
            "source": "client",
            "action": "a1",
            "text": f"403 Forbidden for GET /home: {MARKUP}",
            "tone": "bad",
            "ms": 3,
        }

    def test_an_opened_row_shows_its_message_and_reveals_its_token_only_when_asked(
        self, ada: AuthClient, log: EventLog, sent: list[dict[str, Any]]
    ) -> None:
        pair = ada.store.get()
        assert pair is not None
        ada.home()
        view = LogView(log, base_url=ada.base_url, find_token=ada.store.find)
        seq = next(event.seq for event in log.action())
        for reveal in (False, True):
            view._handle_custom_msg({"type": "open", "seq": seq, "reveal": reveal}, [])
        masked, revealed = sent
        assert (masked["seq"], masked["revealed"], revealed["revealed"]) == (seq, False, True)
        assert list(masked["parts"]) == ["Message", "Token", "cURL"]
        assert pair.access not in repr(masked)
        for title in ("Message", "cURL"):
            assert f"Authorization: Bearer {pair.access}" in revealed["parts"][title]
        assert pair.access not in repr(view.get_state())
        view._handle_custom_msg({"type": "open", "seq": 10_000}, [])
        assert sent[-1]["parts"] == {"Event": "The log has forgotten it."}
        view.close()

    def test_the_log_is_saved_with_its_tokens_masked(
        self, ada: AuthClient, log: EventLog, sent: list[dict[str, Any]]
    ) -> None:
        pair = ada.store.get()
        assert pair is not None
        view = LogView(log, find_token=ada.store.find)
        for format_ in ("jsonl", "har"):
            view._handle_custom_msg({"type": "save", "format": format_, "view": "v"}, [])
        assert [(m["type"], m["name"], m["view"]) for m in sent] == [
            ("file", "event-log.jsonl", "v"),
            ("file", "event-log.har", "v"),
        ]
        assert sent[0]["text"] == log.to_jsonl()
        assert pair.access not in repr(sent)
        view.close()

    def test_no_row_is_in_what_is_saved(self, view: LogView, log: EventLog) -> None:
        log.record("x", source="test", username="a name to look for")
        assert "a name to look for" not in repr(view.get_state())

    def test_it_knows_whether_anybody_looks(self, view: LogView) -> None:
        assert view.watched
        view._handle_custom_msg({"type": "bye"}, [])
        assert not view.watched
        view._handle_custom_msg({"type": "alive"}, [])
        assert view.watched
        view.close()
        assert not view.watched
