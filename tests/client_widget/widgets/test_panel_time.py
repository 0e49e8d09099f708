"""The panel's clock and its step mode, by their buttons."""

from __future__ import annotations

import pytest

from client_widget import AuthClient, EventLog, LoginPanel
from client_widget.widgets.clock_controls import PACES, TimeControls
from client_widget.widgets.step_by_step import StepView
from demo_server import DemoClock

from .buttons import log_in, press, until, widgets_in


class TestTime:
    @pytest.fixture
    def time(self, panel: LoginPanel) -> TimeControls:
        [time] = [part for part in widgets_in(panel) if isinstance(part, TimeControls)]
        return time

    @pytest.mark.parametrize(("label", "rate"), PACES.items())
    def test_the_pace_is_set_and_told(
        self, time: TimeControls, clock: DemoClock, log: EventLog, label: str, rate: float
    ) -> None:
        clock.rate = 7
        time.refresh()
        assert time.pace.value is None  # a pace that a cell has set
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
        moves = [e.fields["seconds"] for e in log if e.name == "clock.advanced"]
        assert moves == [59, 1]
        press(panel, "Home")
        assert "token.refreshed" in [event.name for event in log]


class TestSteps:
    @pytest.fixture
    def steps(self, panel: LoginPanel) -> StepView:
        log_in(panel)
        assert list(panel.tabs.made) == ["Timeline"]  # the others are made when they are opened
        panel.tabs.selected_index = panel.tabs.titles.index("Step by step")
        steps = panel.tabs.made["Step by step"]
        assert isinstance(steps, StepView)
        return steps

    def shown(self, steps: StepView) -> str:
        value: str = steps.message.value
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
