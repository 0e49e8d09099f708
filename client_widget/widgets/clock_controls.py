"""The lab's clock on the panel: how fast it runs, and jumps ahead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from ..client.auth_client import AuthClient
from ..clock import Clock, PacedClock, time_of_day
from ..protocol.tokens import is_time
from .token_html import head
from .view import Stylesheet, View, classes, clock_of

PACES = {"Real time": 1.0, "×10": 10.0, "×60": 60.0, "Hold": 0.0}


class TimeControls(View, widgets.VBox):  # type: ignore[misc]
    """Buttons that move the clock of the whole lab: server, client and countdowns.

    Args:
        client (AuthClient): its log records each change, and "1 s before expiry" refers to its
            access token.
        clock (Clock | None): the clock to move, with `advance` and `rate`; the client's by default.

    Attributes:
        buttons (dict[str, Button]): by label.
        pace (ToggleButtons): how fast the clock runs.

    Raises:
        ValueError: the clock cannot be moved, or has no pace.
    """

    def __init__(self, client: AuthClient, *, clock: Clock | None = None) -> None:
        clock = clock_of(client, clock)
        if not isinstance(clock, PacedClock):
            raise ValueError("This clock cannot be moved: pass one that can, such as DemoClock()")
        self._client = client
        self._clock = clock
        client.log.follow(clock)
        self._now = widgets.HTML()
        jumps: dict[str, Callable[[], None]] = {
            "+61 s": lambda: self._advance(61),
            "+301 s": lambda: self._advance(301),
            "1 s before expiry": self._advance_to_expiry,
        }
        self.buttons = {label: widgets.Button(description=label) for label in jumps}
        for label, jump in jumps.items():
            self.buttons[label].on_click(lambda _, jump=jump: jump())
        # A cell may have set a pace that no button has: then none is pressed.
        self.pace = widgets.ToggleButtons(
            options=list(PACES),
            value=self._pace_now(),
            style={"button_width": "auto"},
            tooltips=["How fast the clock runs"] * len(PACES),
            **classes("lab-pace"),
        )
        self.pace.observe(self._on_pace, "value")
        jumps_row = widgets.HBox(list(self.buttons.values()), **classes("lab-buttons"))
        super().__init__([Stylesheet(), self._now, jumps_row, self.pace], **classes("lab-clock"))
        self.refresh()

    def refresh(self) -> None:
        """Show the current time and pace."""
        self._now.value = head("Clock", f"<b>{time_of_day(self._clock())}</b>")
        pace = self._pace_now()
        if self.pace.value != pace:
            self.pace.value = pace

    def _pace_now(self) -> str | None:
        return next((label for label, rate in PACES.items() if rate == self._clock.rate), None)

    def _on_pace(self, change: dict[str, Any]) -> None:
        rate = PACES.get(change["new"])
        if rate is not None and rate != self._clock.rate:
            self._clock.rate = rate
            self._client.log.record("clock.paced", source="panel", rate=rate)

    def _advance(self, seconds: float) -> None:
        self._clock.advance(seconds)

    def _advance_to_expiry(self) -> None:
        """Advance to one second before the access token expires, if that is ahead."""
        pair = self._client.store.get()
        exp = pair.access_facts.get("exp") if pair else None
        if is_time(exp) and (seconds := exp - 1 - self._clock()) > 0:
            self._advance(round(seconds, 3))
