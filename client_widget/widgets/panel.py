"""`LoginPanel`: the article's login and home pages as widgets, over an `AuthClient`.

Rules:
- a button's callback starts a thread and returns, so no call blocks the kernel; the button
  is disabled until its call is over;
- what a user typed is displayed through `as_html` and `shown`;
- the password leaves its field as soon as it is used; tokens are shown by fingerprint and
  claims. What a widget holds is saved with the notebook.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import ipywidgets as widgets

from ..client.auth_client import AuthClient
from ..client.transport import one_action
from ..clock import Clock, PacedClock
from ..display import as_html, shown
from ..errors import ClientError, LoginRequired, Rejected
from ..log.event import Event
from .background import Pulse, Workers
from .clock_controls import TimeControls
from .live_log import LogView
from .sequence_diagram import DiagramView
from .step_by_step import StepView
from .tabs import LazyTabs
from .timeline.timeline import TokenTimeline
from .token_html import token_card
from .token_inspector import TokenInspector
from .tour import TourView
from .view import View

#: How long a click waits for the text that was typed before it, in seconds. A field sends its
#: text letter by letter, the next when the last has arrived, so a click can overtake it.
SETTLE = 0.1


class LoginPanel(View, widgets.VBox):  # type: ignore[misc]
    """One user's browser window: form, home page, stored tokens, live log.

    Args:
        client (AuthClient): does the work; its log is the one that is shown.
        clock: gives seconds since the epoch; the client's, if not given. With a clock that
            can be moved the panel has buttons that move it.

    Attributes:
        username, password: the two text fields.
        buttons (dict[str, Button]): by their labels, such as "Log in".
        notice, home, tokens: what the panel says, as HTML widgets.
        log_view (LogView): the live log.
        tabs (LazyTabs): what can be looked at closer.
    """

    def __init__(self, client: AuthClient, *, clock: Clock | None = None) -> None:
        self.client = client
        self.clock = clock if clock is not None else client.clock
        self._workers = Workers()
        self._closed = False

        wide = {
            "layout": widgets.Layout(width="auto"),
            "style": {"description_width": "88px"},
        }
        self.username = widgets.Text(description="Username", **wide)
        self.password = widgets.Password(description="Password", **wide)
        self.notice = widgets.HTML()
        self.home = widgets.HTML()
        self.tokens = widgets.HTML()
        self.buttons: dict[str, widgets.Button] = {}
        rows: list[widgets.Widget] = [
            self._button_row(
                ("Register", self._register, "primary"), ("Log in", self._log_in, "primary")
            ),
            self._button_row(
                ("Home", self._visit_home, "success"),
                ("Log out", self._log_out, ""),
                ("5 × Home", self._visit_home_at_once, ""),
            ),
        ]
        self._time: TimeControls | None = None
        if isinstance(self.clock, PacedClock):
            self._time = TimeControls(client, clock=self.clock)
            self.buttons |= self._time.buttons
            rows.append(self._time)
        self.log_view = LogView(
            client,
            on_seen=self._on_seen,
        )
        self.log_view.layout = widgets.Layout(flex="1 1 420px", min_width="320px")

        form = widgets.VBox(
            [self.username, self.password, rows[0], self.notice, rows[1], *rows[2:]],
        )
        left = widgets.VBox(
            [form, self.home, self.tokens],
            layout=widgets.Layout(flex="0 1 360px", min_width="300px", margin="0 12px 0 0"),
        )
        columns = widgets.Layout(flex_flow="row wrap", align_items="flex-start")
        self.tabs = LazyTabs(
            {
                "Flow": lambda: DiagramView(client, clock=self.clock),
                "Timeline": lambda: TokenTimeline(client, clock=self.clock),
                "Tokens": lambda: TokenInspector(client, clock=self.clock),
                "Step by step": lambda: StepView(client, clock=self.clock),
                "Tour": lambda: TourView(client, clock=self.clock),
            }
        )
        self.projector = widgets.ToggleButton(
            description="Projector",
            tooltip="Large text",
            layout=widgets.Layout(width="auto", align_self="flex-end"),
        )
        self.projector.observe(self._on_projector, "value")
        super().__init__(
            [widgets.HBox([left, self.log_view], layout=columns), self.projector, self.tabs]
        )
        self.add_class("lab-panel")

        self._show_home("Log in to see this page.")
        self._say("Register, then log in.")
        self._draw()
        # Redraw soon after an event; and every second while somebody looks, for the countdown.
        self._redraw = Pulse(0.03, self._draw)
        self._tick = Pulse(1.0, self._draw_while_watched)
        self._tick.start()
        self._unsubscribe = client.log.subscribe(self._on_event)

        # Enter in the password field logs in.
        self.password.on_msg(self._on_submit)

    def wait(self, timeout: float = 20.0) -> None:
        """Wait until no call of the panel is under way.

        Raises:
            TimeoutError: one still is after `timeout` seconds.
        """
        self._workers.wait(timeout)

    def refresh(self) -> None:
        """Redraw what time and events change."""
        self._draw()

    def close(self) -> None:
        """Take the panel away; its client and its log stay."""
        self._closed = True
        self._unsubscribe()
        self.log_view.close()
        self.tabs.close()
        super().close()

    def __repr__(self) -> str:
        # What a saved notebook shows in the panel's place.
        return "LoginPanel: run this cell to see it"

    # What the buttons do. Each runs in a thread of its own.

    def _register(self) -> None:
        self._work("Register", self._do_register)

    def _do_register(self) -> None:
        username, password = self._take_credentials()
        self.client.register(username, password)
        self._say(f"{shown(username)} is registered. Now log in.")

    def _log_in(self) -> None:
        self._work("Log in", self._do_log_in)

    def _do_log_in(self) -> None:
        username, password = self._take_credentials()
        self.client.login(username, password)
        self._say(f"{shown(username)} is logged in.")
        self._show_home("Press Home to load this page.")

    def _visit_home(self) -> None:
        self._work("Home", self._do_visit_home)

    def _do_visit_home(self) -> None:
        message = self.client.home()["message"]
        self._say("The home page is loaded.")
        self._show_home(message, strong=True)

    def _visit_home_at_once(self) -> None:
        self._work("5 × Home", self._do_visit_home_at_once)

    def _do_visit_home_at_once(self) -> None:
        """Five calls that may meet an expiry together: the log shows one refresh."""
        with ThreadPoolExecutor(5) as pool:
            pages = list(pool.map(lambda _: self.client.home()["message"], range(5)))
        self._say("Five calls at once were all answered.")
        self._show_home(pages[0], strong=True)

    def _log_out(self) -> None:
        self._work("Log out", self._do_log_out)

    def _do_log_out(self) -> None:
        self.client.logout()
        self._say("You are logged out.")
        self._show_home("Log in to see this page.")

    def _take_credentials(self) -> tuple[str, str]:
        """What is in the form; the password is taken out of it."""
        time.sleep(SETTLE)
        # Some keyboards write a letter and its accent as two characters, which the server refuses.
        username = unicodedata.normalize("NFC", self.username.value)
        password = self.password.value
        self.password.value = ""
        return username, password

    def _work(self, label: str, call: Callable[[], None]) -> None:
        """Run a call in a thread, its button disabled, and say in words how it failed."""
        button = self.buttons[label]
        if button.disabled:  # Enter was pressed twice
            return
        button.disabled = True

        def work() -> None:
            try:
                with one_action() as correlation:
                    self._tell_of_press(label, correlation)
                    call()
            except LoginRequired as error:
                self._show_home("Log in to see this page.")
                self._say(f"{error}.", bad=True)
            except Rejected as error:
                self._say(f"Refused ({error.status}): {shown(error.message)}", bad=True)
            except ClientError as error:
                self._say(f"{error}", bad=True)
            finally:
                button.disabled = False
                self._draw()

        self._workers.start(f"The call of {label}", work)

    def _tell_of_press(self, label: str, correlation: str) -> None:
        self.client.log.record(
            "button.pressed",
            source="panel",
            correlation=correlation,
            button=label,
            client=self.client.name,
        )

    # What the panel shows

    def _say(self, text: str, *, bad: bool = False) -> None:
        kind = "lab-notice lab-bad" if bad else "lab-notice"
        self.notice.value = f'<div class="{kind}" role="status">{as_html(text)}</div>'

    def _show_home(self, text: str, *, strong: bool = False) -> None:
        page = f"<b>{as_html(text)}</b>" if strong else as_html(text)
        self.home.value = f'<div class="lab-home">Home page<br>{page}</div>'

    def _draw(self) -> bool:
        """Redraw what time and events change. Equal values cost no message."""
        now = self.clock()
        pair = self.client.store.get()
        if pair is None:
            self.tokens.value = '<div class="lab-token">The token store is empty.</div>'
        else:
            self.tokens.value = token_card("Access token", pair.access, now) + token_card(
                "Refresh token", pair.refresh, now
            )
        if self._time is not None:
            self._time.refresh()
        self.tabs.refresh()
        return False

    def _draw_while_watched(self) -> bool:
        self._draw()
        return self.log_view.watched and not self._closed

    def _on_event(self, event: Event) -> None:
        self._redraw.start()

    def _on_seen(self) -> None:
        self._tick.start()

    def _on_submit(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        if content.get("event") == "submit":
            self._log_in()

    def _on_projector(self, change: dict[str, bool]) -> None:
        (self.add_class if change["new"] else self.remove_class)("lab-projector")

    def _button_row(self, *buttons: tuple[str, Callable[[], None], str]) -> widgets.HBox:
        for label, act, style in buttons:
            button = widgets.Button(
                description=label, button_style=style, layout=widgets.Layout(width="100px")
            )
            button.on_click(lambda _, act=act: act())
            self.buttons[label] = button
        return widgets.HBox(
            [self.buttons[label] for label, _, _ in buttons],
            layout=widgets.Layout(align_items="center", flex_flow="row wrap"),
        )
