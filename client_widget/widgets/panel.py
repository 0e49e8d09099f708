"""`LoginPanel`: the article's login and home pages as widgets, over an `AuthClient`.

Rules:

- a click runs its action in a new thread and returns, so no call blocks the kernel. The
  button is disabled until the action ends, and a failure is shown in one place: `_run`;
- who is logged in is said by the store and the log, not by the button that was pressed last;
- whatever a user typed is displayed through `as_html` and `shown`;
- the password leaves its field as soon as it is used, and tokens are shown by fingerprint and
  claims, because a notebook saves what its widgets hold.
"""

from __future__ import annotations

import threading
import time
import unicodedata
from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets as widgets

from ..client.actions import one_action
from ..client.auth_client import AuthClient
from ..client.in_process import is_in_process
from ..client.stepper import stepper_of
from ..clock import Clock, PacedClock
from ..display import as_html, shown
from ..errors import ClientError, LoginRequired, Rejected
from ..log.event import Event, action_of
from ..log.next_step import NextStep
from ..protocol.tokens import TokenPair, read_claims
from .background import NoThread, Pulse, Workers, at_once
from .clock_controls import TimeControls
from .live_log import LogView
from .pictures.sequence_diagram import LAST_ACTION, DiagramView
from .pictures.timeline import TokenTimeline
from .presence import Presence
from .step_by_step import StepView, where_to_send
from .tabs import LazyTabs
from .token_html import empty_card, head, token_card
from .view import Stylesheet, View, classes, clock_of

#: How long a click waits for the text that was typed before it, in seconds. A field sends its
#: text letter by letter and waits for each to arrive, so a click can overtake the last ones.
SETTLE = 0.1


_LOG_IN = "Log in to see this page."

_NO_WIRE = (
    '<div class="lab-wire" role="note">The server is real, the wire is not: requests reach it by a '
    "function call in this process.</div>"
)


class LoginPanel(View, widgets.VBox):  # type: ignore[misc]
    """One user's browser window: form, home page, stored tokens, live log.

    Args:
        client (AuthClient): does the work; the panel shows its log.
        clock (Clock | None): returns seconds since the epoch; the client's by default. If it can
            be moved and has a pace, the panel has buttons for both.

    Attributes:
        username, password: the two text fields.
        buttons (dict[str, Button]): by label, such as "Log in".
        banner (HTML): which message is held, or "".
        notice, home, tokens (HTML): the last message, the home page and the stored tokens.
        log_view (LogView): the live log.
        flow (DiagramView): the flow of the last action.
        tabs (LazyTabs): the closer views: timeline, tokens, step by step, tour.
        projector (ToggleButton): makes the text large.
        presence (Presence): whether anybody is looking.
    """

    def __init__(self, client: AuthClient, *, clock: Clock | None = None) -> None:
        self.client = client
        self.clock = clock_of(client, clock)
        self._workers = Workers()
        # Redraw soon after an event, and every second while anybody looks, for the countdown.
        self._redraw = Pulse(0.05, self._draw)
        self._tick = Pulse(1.0, self._draw_while_watched)
        self.presence = Presence(on_report=self._tick.start)

        self.username = widgets.Text(description="Username")
        self.password = widgets.Password(description="Password")
        self.banner = widgets.HTML(**classes("lab-held"))
        self.notice = widgets.HTML()
        self.home = widgets.HTML()
        self.tokens = widgets.HTML()
        self._who = widgets.HTML()
        self._actions: dict[str, Callable[[], None]] = {
            "Register": self._register,
            "Log in": self._log_in,
            "Home": self._load_home,
            "Log out": self._log_out,
            "5 × Home": self._load_home_five_times,
        }
        self.buttons = {label: widgets.Button(description=label) for label in self._actions}
        for button in self.buttons.values():
            button.on_click(self._on_click)
        self._next = NextStep(client.name)
        self._time: TimeControls | None = None
        if isinstance(self.clock, PacedClock):
            self._time = TimeControls(client, clock=self.clock)
            self.buttons |= self._time.buttons
        self.log_view = LogView(client)
        self.flow = DiagramView(client, clock=self.clock)
        self.tabs = LazyTabs(
            {
                "Timeline": lambda: TokenTimeline(client, clock=self.clock),
                "Tokens": self._inspector,
                "Step by step": lambda: StepView(client, clock=self.clock),
                "Tour": self._tour,
            }
        )
        self.projector = widgets.ToggleButton(
            description="Projector", tooltip="Large text, for the back of a room"
        )
        self.projector.observe(self._on_projector, "value")
        parts = [Stylesheet(), self._grid(), self.tabs, self.presence]
        super().__init__(parts, **classes("lab-panel"))

        self._stepper = stepper_of(client)
        self._texts = {"notice": "", "home": ""}  # what both say, without markup
        # Of which session notice and home page speak, and what was said of it.
        self._said: tuple[object, str] | None = None
        self._following = threading.Lock()
        # Several threads set the buttons, and ipywidgets has no lock for what `hold_sync` collects.
        self._setting = threading.Lock()
        self._last_session_event: Event | None = None
        for event in client.log:
            self._follow(event)
        self._draw()
        self.presence.report()  # a panel is made to be shown
        self.on_close(
            client.log.subscribe(self._on_event),
            self._stepper.subscribe(self._redraw.start),
            self.presence.leave,
            self._redraw.stop,
            self._tick.stop,
        )

        # Enter in the password field logs in.
        self.password.on_msg(self._on_submit)

    def _grid(self) -> widgets.Box:
        """The parts in the order of the story, also for the keyboard and for a narrow page."""
        # What nobody but the panel lays out shares one layout, because each is a message.
        plain = widgets.Layout()
        row, box = partial(_row, plain), partial(_box, plain)
        register, log_in, *others = (self.buttons[label] for label in self._actions)
        browser = [
            self._who,
            row("lab-form", self.username, self.password),
            row("lab-buttons", register, log_in),
            self.banner,
            self.notice,
            self.home,
            row("lab-buttons", *others),
        ]
        if is_in_process(self.client.base_url):
            browser.append(widgets.HTML(_NO_WIRE, layout=plain))
        # The flow's choice is in its title.
        self.flow.children = (self.flow.picture,)
        self.flow.choice.observe(self._on_flow, "value")
        self.flow.picture.observe(self._on_flow, "value")
        titles = row(
            "lab-titles", widgets.HTML(head("Flow"), layout=plain), self.flow.choice, self.projector
        )
        parts = [
            box("browser", *browser),
            box("store", widgets.HTML(head("Token store"), layout=plain), self.tokens),
            *([box("clock", self._time)] if self._time else []),
            box("log", self.log_view),
            box("flow", titles, self.flow),
        ]
        return widgets.Box(parts, layout=plain, **classes("lab-grid"))

    def wait(self, timeout: float = 20.0) -> None:
        """Wait until all the panel's calls have ended.

        Raises:
            TimeoutError: a call is still running after `timeout` seconds.
        """
        self._workers.wait(timeout)

    def refresh(self) -> None:
        """Redraw what time and events change."""
        self._draw_story()
        self._draw()
        self.tabs.refresh()

    def to_svg(self) -> str:
        """The page, the token store, the last story and its flow."""
        from ..log.pictures.panel import panel  # with its library, slow to import

        self._follow_session()  # what the page says may not be drawn yet
        story = self.client.log.action()
        return panel(
            self.client.store.get(),
            story,
            self.clock(),
            flow=self.client.log.to_svg(action_of(story[-1])) if story else "",
            **self._texts,
        )

    # From a click to the client

    def _on_click(self, button: widgets.Button) -> None:
        """Run the button's action in a thread, unless it is running already."""
        if button.disabled:  # Enter was pressed twice
            return
        self._disable(button, True)
        try:
            self._workers.start(f"The call of {button.description}", lambda: self._run(button))
        except NoThread as error:
            self._disable(button, False)
            self._say(f"{error}", bad=True)

    def _run(self, button: widgets.Button) -> None:
        label = button.description
        try:
            with one_action() as correlation:
                about = {"correlation": correlation, "button": label, "client": self.client.name}
                self.client.log.record("button.pressed", source="panel", **about)
                self.log_view.refresh()  # the click's own row waits for no batch
                self._actions[label]()
        except LoginRequired as error:
            self._say(f"{error}.", bad=True)
        except Rejected as error:
            self._say(f"Refused ({error.status}): {error.message}", bad=True)
        except (ClientError, NoThread) as error:
            self._say(f"{error}", bad=True)
        except Exception as error:
            # Such as a fault in a learner's client. Its text could be long, and is in Python's log.
            self._say(
                f"The client failed ({type(error).__name__}). See the kernel's log.", bad=True
            )
            raise
        finally:
            self._disable(button, False)
            self._draw()

    def _register(self) -> None:
        username, password = self._take_credentials()
        self.client.register(username, password)
        self._say(f"{shown(username)} is registered. Now log in.")

    def _log_in(self) -> None:
        username, password = self._take_credentials()
        self.client.login(username, password)
        self._say(self._standing(self.client.store.get()))

    def _load_home(self) -> None:
        message = self.client.home()["message"]
        self._say("The home page is loaded.")
        self._show_home(message, strong=True)

    def _load_home_five_times(self) -> None:
        """Make five calls at once. If their token has expired, the log shows one refresh."""
        pages = at_once(5, lambda: self.client.home()["message"])
        self._say("All five calls were answered.")
        self._show_home(pages[0], strong=True)

    def _log_out(self) -> None:
        self.client.logout()
        self._say(self._standing(self.client.store.get()))

    def _take_credentials(self) -> tuple[str, str]:
        """Return what is in the form, and empty the password field."""
        time.sleep(SETTLE)
        # Some keyboards write a letter and its accent as two characters, which the server refuses.
        username = unicodedata.normalize("NFC", self.username.value)
        password = self.password.value
        self.password.value = ""
        return username, password

    # The closer views, imported when they are first opened

    def _inspector(self) -> View:
        from .token_inspector import TokenInspector

        return TokenInspector(self.client, clock=self.clock)

    def _tour(self) -> View:
        from .tour import TourView

        return TourView(self.client, clock=self.clock)

    # What the panel shows

    def _follow_session(self) -> None:
        """Say who is logged in, if that has changed: a cell or the tour may have changed it."""
        with self._following:
            pair = self.client.store.get()
            said = (pair and pair.session, self._standing(pair))
            if said != self._said:
                self._said = said
                self._who.value = head("Browser", _user_html(pair))
                self._show_notice(said[1])
                self._show_home(_LOG_IN if pair is None else "Press Home to load this page.")

    def _standing(self, pair: TokenPair | None) -> str:
        """Who is logged in, by the store; why nobody is, by the log."""
        if pair is not None:
            username = _username(pair)
            return f"{shown(username)} is logged in." if username else "You are logged in."
        last = self._last_session_event
        if last is None:
            return "Register, then log in."
        if last.fields.get("reason") == "refresh_refused":
            return "Your session has ended. Log in again."
        return "You are logged out."

    def _say(self, text: str, *, bad: bool = False) -> None:
        """Show what came of an action. First its story: each message before it would delay it."""
        self._draw_story()
        self._follow_session()
        self._show_notice(text, bad=bad)

    def _show_notice(self, text: str, *, bad: bool = False) -> None:
        self._texts["notice"] = text
        kind = "lab-notice lab-bad" if bad else "lab-notice"
        self.notice.value = f'<div class="{kind}" role="status">{as_html(text)}</div>'

    def _show_home(self, text: str, *, strong: bool = False) -> None:
        self._texts["home"] = text
        page = f"<b>{as_html(text)}</b>" if strong else as_html(text)
        self.home.value = f'<div class="lab-home">Home page<br>{page}</div>'

    def _draw_story(self) -> None:
        """Show the whole story at once when an action ends. Until then both parts have a pace."""
        self.log_view.refresh()
        self.flow.refresh()

    def _draw(self) -> bool:
        """Redraw the panel's own parts. Equal values send no message."""
        now = self.clock()
        pair = self.client.store.get()
        if pair is None:
            self.tokens.value = empty_card(
                "Access token", "The token store is empty."
            ) + empty_card("Refresh token", "Log in to get both tokens.")
        else:
            self.tokens.value = token_card("Access token", pair.access, now) + token_card(
                "Refresh token", pair.refresh, now
            )
        self._follow_session()
        held = self._stepper.first
        self.banner.value = "" if held is None else _banner(where_to_send(held))
        if self._time is not None:
            self._time.refresh()
        self._mark(self._next.button(pair, now), "Log in" if pair is None else "Home")
        return False

    def _disable(self, button: widgets.Button, yes: bool) -> None:
        with self._setting:
            button.disabled = yes

    def _mark(self, step: str, usual: str) -> None:
        """Mark the button that continues the story; it or else the usual one is the main one."""
        main = step if step in self._actions else usual
        for label, button in self.buttons.items():
            with self._setting, button.hold_sync():  # one message for each button that changes
                button.button_style = "primary" if label == main else ""
                if label == step:
                    button.add_class("lab-next")
                    button.tooltip = "The next step of the story"
                elif button.tooltip:
                    button.remove_class("lab-next")
                    button.tooltip = None

    def _draw_while_watched(self) -> bool:
        self.refresh()
        return self.presence.watched

    def _is_of_session(self, event: Event) -> bool:
        of_session = event.name in ("session.started", "session.ended")
        return of_session and event.source == self.client.name

    def _follow(self, event: Event) -> None:
        self._next.take(event)
        if self._is_of_session(event):
            self._last_session_event = event

    def _on_event(self, event: Event) -> None:
        self._follow(event)
        self._redraw.start()

    def _on_submit(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        if content.get("event") == "submit":
            self._on_click(self.buttons["Log in"])

    def _on_projector(self, change: dict[str, bool]) -> None:
        self._set_class("lab-projector", change["new"])

    def _on_flow(self, _: object) -> None:
        """Give a whole session, and calls that are drawn apart, the width that they need.

        With classes: for `:has()` the browser would search the page at each change.
        """
        self._set_class("lab-session", self.flow.choice.value != LAST_ACTION)
        self._set_class("lab-apart", 'aria-expanded="true"' in self.flow.picture.value)

    def _set_class(self, name: str, wanted: bool) -> None:
        (self.add_class if wanted else self.remove_class)(name)


def _username(pair: TokenPair | None) -> str:
    """Whose tokens these are; "" if they do not say so."""
    claims = {} if pair is None else read_claims(pair.access)
    username = claims.get("username") or claims.get("sub")  # in the article, with `rfc`
    return username if isinstance(username, str) else ""


def _user_html(pair: TokenPair | None) -> str:
    if pair is None:
        return "logged out"
    username = _username(pair)
    return f"logged in as <b>{as_html(shown(username))}</b>" if username else "logged in"


def _banner(text: str) -> str:
    # An alert and no status: it asks for something to be done.
    return f'<div class="lab-banner" role="alert">{as_html(text)}</div>'


def _row(layout: widgets.Layout, name: str, *children: widgets.Widget) -> widgets.HBox:
    return widgets.HBox(children, layout=layout, **classes(name))


def _box(layout: widgets.Layout, name: str, *children: widgets.Widget) -> widgets.VBox:
    """A part of the panel; the style sheet puts it in the place of its name."""
    return widgets.VBox(children, layout=layout, **classes("lab-box", f"lab-at-{name}"))
