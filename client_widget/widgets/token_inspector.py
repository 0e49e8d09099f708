"""`TokenInspector`: a token taken apart, and what the server makes of it and its forgeries.

Rules:
- the verdict is the server's own: the token is really sent, by `AuthClient.probe`, and the
  session does not notice;
- no widget holds a token. Header and payload are shown, the signature in its first six
  characters: what a widget holds is saved with the notebook;
- what a user or a server wrote is escaped wherever it is shown as HTML;
- a button's callback starts a thread and returns.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

import ipywidgets as widgets

from ..client.auth_client import AuthClient
from ..client.transport import refusal_of
from ..clock import Clock, time_of_day
from ..display import as_html, shown
from ..errors import ClientError
from ..log.event import Event
from ..protocol.jwt_by_hand import read_object, sign, split, unsigned, with_payload
from ..protocol.tokens import TokenPair
from .background import Pulse, Workers
from .presence import Stylesheet
from .token_html import draw_claims, draw_parts, draw_verdict, pretty
from .view import View

#: Signs what no server of the lab signs. No secret: anybody may read it.
WRONG_SECRET = "a guess at the secret, and a wrong one"

Kind: TypeAlias = Literal["access", "refresh"]

_THROWN_AWAY = "A new access token came and was thrown away: your session is as it was."
_SPENT = (
    "New tokens came and were thrown away. This refresh token is spent now, so your session will "
    "end at its next refresh."
)

_ROUTES: dict[Kind, str] = {"access": "GET /home", "refresh": "POST /refresh"}
_OTHER: dict[Kind, Kind] = {"access": "refresh", "refresh": "access"}


class _Way(NamedTuple):
    """What one button sends: its words, and what makes it of a token and a payload."""

    load: str
    forge: Callable[[str, str], str] | None = None  # None: the token as it is
    elsewhere: bool = False  # to the route of the other kind


_WAYS = {
    "Send as it is": _Way("as it is"),
    "Send with the edited payload": _Way("with its old signature", with_payload),
    "Re-sign with a wrong secret": _Way(
        "signed with a wrong secret",
        lambda token, text: sign(split(token).header_text, text, WRONG_SECRET),
    ),
    "Send with alg none": _Way(
        "with alg none and no signature",
        lambda token, text: unsigned(with_payload(token, text)),
    ),
    "Send to the other route": _Way("as it is", elsewhere=True),
}


class TokenInspector(View, widgets.VBox):  # type: ignore[misc]
    """Takes a stored token apart, and sends it and forgeries of it to the server.

    Args:
        client (AuthClient): its store has the tokens, and it sends.
        clock: gives seconds since the epoch; the client's, if not given.

    Attributes:
        kind (ToggleButtons): "access" or "refresh".
        parts, claims, verdict: what the inspector says, as HTML widgets.
        payload (Textarea): the editor.
        buttons (dict[str, Button]): by their labels, such as "Send as it is".
    """

    def __init__(self, client: AuthClient, *, clock: Clock | None = None) -> None:
        self.client = client
        self.clock = clock if clock is not None else client.clock
        self._workers = Workers()
        # Whose payload is in the editor, and as it was put there.
        self._source: tuple[object, Kind] | None = None
        self._offered = ""
        # Threads redraw, and one must not fill the editor while another looks at it.
        self._drawing = threading.Lock()

        narrow = {"description_width": "64px"}
        self.kind = widgets.ToggleButtons(
            options=[("Access token", "access"), ("Refresh token", "refresh")],
            description="Token",
            style={**narrow, "button_width": "120px"},
        )
        self.parts = widgets.HTML()
        self.claims = widgets.HTML()
        self.payload = widgets.Textarea(
            description="Payload",
            style=narrow,
            layout=widgets.Layout(width="auto", height="126px"),
        )
        self.verdict = widgets.HTML()
        self.buttons = {label: _button(label) for label in (*_WAYS, "Undo the edits")}
        for label in _WAYS:
            self.buttons[label].on_click(lambda _, label=label: self._forge_and_send(label))
        self.buttons["Undo the edits"].on_click(lambda _: self._undo())

        row = widgets.Layout(flex_flow="row wrap", margin="0 0 6px 0")
        left = widgets.VBox(
            [self.kind, self.parts, self.claims],
            layout=widgets.Layout(flex="1 1 360px", min_width="300px", margin="0 12px 0 0"),
        )
        right = widgets.VBox(
            [self.payload, widgets.HBox(list(self.buttons.values()), layout=row), self.verdict],
            layout=widgets.Layout(flex="1 1 420px", min_width="300px"),
        )
        columns = widgets.Layout(flex_flow="row wrap", align_items="flex-start")
        super().__init__([widgets.HBox([left, right], layout=columns), Stylesheet()])
        self.add_class("lab-inspector")

        self._say("Send the token, and the server's verdict stands here.")
        self.refresh()
        self.kind.observe(self._on_kind, names="value")
        self._redraw = Pulse(0.03, self._draw)
        self._unsubscribe = client.log.subscribe(self._on_event)

    def refresh(self) -> None:
        """Redraw what time and events change. Equal values cost no message."""
        with self._drawing:
            pair, kind = self.client.store.get(), self.kind.value
            if pair is None:
                self.parts.value = '<div class="lab-jwt">The token store is empty: log in.</div>'
                self.claims.value = ""
                self._fill(None, "")
                return
            token = _token_of(pair, kind)
            self.parts.value = draw_parts(token)
            self.claims.value = draw_claims(token, self.clock())
            self._fill((pair.session, kind), pretty(split(token).payload_text))

    def wait(self, timeout: float = 20.0) -> None:
        """Wait until no token is under way.

        Raises:
            TimeoutError: one still is after `timeout` seconds.
        """
        self._workers.wait(timeout)

    def close(self) -> None:
        """Take the inspector away; its client and its log stay."""
        self._unsubscribe()
        super().close()

    def __repr__(self) -> str:
        # What a saved notebook shows in the inspector's place.
        return "TokenInspector: run this cell to see it"

    # What the buttons do

    def _forge_and_send(self, label: str) -> None:
        """Make the token of a button and send it in a thread, all buttons disabled."""
        pair, kind = self.client.store.get(), self.kind.value
        if self.buttons[label].disabled:
            return
        if pair is None:
            self._say("The token store is empty, so nothing was sent: log in first.", bad=True)
            return
        way, token = _WAYS[label], _token_of(pair, kind)
        to = _OTHER[kind] if way.elsewhere else kind
        load = f"the {kind} token {way.load}"
        if way.forge is not None:
            typed, text = self.payload.value, split(token).payload_text
            try:
                read_object(typed)
            except ValueError as error:
                self._say(f"{error}. Nothing was sent.", bad=True)
                return
            # The editor lays the payload out. What was not edited is sent byte by byte as it
            # was, or its signature would fail for a space.
            edited = typed != pretty(text)
            load += ", its payload edited" if edited else ", its payload not edited"
            token = way.forge(token, typed if edited else text)
        self._set_disabled(True)
        self._workers.start("The token", lambda: self._probe(token, to, load))

    def _probe(self, token: str, to: Kind, load: str) -> None:
        try:
            response = self.client.probe(token, to)
        except (ClientError, ValueError) as error:
            self._say(f"{error}", bad=True)
        else:
            sent = f"{time_of_day(self.clock())} {_ROUTES[to]}, {load}"
            status = response.status_code
            refusal = refusal_of(response) if status >= 400 else {"error": "", "message": ""}
            note = refusal["message"] and f"The server says: “{shown(refusal['message'])}”"
            if status < 400 and to == "refresh":
                rotated = "refreshToken" in response.json()
                note = _SPENT if rotated else _THROWN_AWAY
            self.verdict.value = draw_verdict(sent, status, refusal["error"], note)
        finally:
            self._set_disabled(False)

    def _undo(self) -> None:
        self._source = None
        self.refresh()

    def _set_disabled(self, disabled: bool) -> None:
        for label in _WAYS:
            self.buttons[label].disabled = disabled

    # What the inspector shows

    def _fill(self, source: tuple[object, Kind] | None, text: str) -> None:
        """Put the payload into the editor, but not over what was edited in this session."""
        if source is not None and source == self._source and self.payload.value != self._offered:
            return
        self._source, self._offered = source, text
        self.payload.value = text

    def _say(self, text: str, *, bad: bool = False) -> None:
        tone = " lab-bad" if bad else ""
        self.verdict.value = f'<div class="lab-verdict{tone}" role="status">{as_html(text)}</div>'

    def _draw(self) -> bool:
        self.refresh()
        return False

    def _on_kind(self, change: object) -> None:
        self.refresh()

    def _on_event(self, event: Event) -> None:
        self._redraw.start()


def _button(label: str) -> widgets.Button:
    return widgets.Button(
        description=label,
        button_style="primary" if label == "Send as it is" else "",
        layout=widgets.Layout(width="auto"),
    )


def _token_of(pair: TokenPair, kind: Kind) -> str:
    return pair.access if kind == "access" else pair.refresh
