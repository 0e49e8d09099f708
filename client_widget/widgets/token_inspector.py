"""`TokenInspector`: takes a token apart, and shows how the server answers it and its forgeries.

Rules:
- the verdict is the server's own: `AuthClient.probe` really sends the token, and leaves the session
  alone;
- no widget holds a complete token, because a notebook saves what its widgets hold. Header and
  payload are shown in full, the signature by its first six characters;
- whatever a user or a server wrote is escaped where it is shown as HTML;
- a click starts a thread and returns.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

import ipywidgets as widgets

from ..client.auth_client import AuthClient
from ..client.responses import refusal_of
from ..clock import Clock, life, time_of_day
from ..display import as_html, cut, shown
from ..errors import ClientError
from ..log.event import Event
from ..protocol.answers import json_of
from ..protocol.jwt_by_hand import read_object, sign, split, unsigned, with_payload
from ..protocol.tokens import TokenPair, is_time, read_claims
from .background import NoThread, Pulse, Workers
from .token_html import draw_claims, draw_parts, draw_verdict, pretty
from .view import Stylesheet, View, classes, clock_of

#: Signs tokens that no server of the lab would sign. It is public, so it may be in the code.
WRONG_SECRET = "a guess at the secret, and a wrong one"

Kind: TypeAlias = Literal["access", "refresh"]

_THROWN_AWAY = "The new access token was discarded, so your session is unchanged."
_SPENT = (
    "The new tokens were discarded. This refresh token is now spent, so your session will end at "
    "its next refresh. Then log in again."
)

_EMPTY = "The token store is empty. Log in to see a token here."

_ROUTES: dict[Kind, str] = {"access": "GET /home", "refresh": "POST /refresh"}
_OTHER: dict[Kind, Kind] = {"access": "refresh", "refresh": "access"}


class _Way(NamedTuple):
    """What one button sends: how it is described, and what forges it from a token and a payload."""

    load: str
    forge: Callable[[str, str], str] | None = None  # None: the token unchanged
    elsewhere: bool = False  # sent to the other kind's route


_WAYS = {
    "Send as it is": _Way("unchanged"),
    "Send with the edited payload": _Way("with its old signature", with_payload),
    "Re-sign with a wrong secret": _Way(
        "signed with a wrong secret",
        lambda token, text: sign(split(token).header_text, text, WRONG_SECRET),
    ),
    "Send with alg none": _Way(
        "with alg none and no signature",
        lambda token, text: unsigned(with_payload(token, text)),
    ),
    "Send to the other route": _Way("unchanged", elsewhere=True),
}


class TokenInspector(View, widgets.VBox):  # type: ignore[misc]
    """Takes a stored token apart, and sends it or forgeries of it to the server.

    Args:
        client (AuthClient): stores the tokens, and sends them.
        clock (Clock | None): returns seconds since the epoch; the client's by default.

    Attributes:
        kind (ToggleButtons): "access" or "refresh".
        parts, claims, verdict (HTML): the token's parts, its claims, and the server's response.
        payload (Textarea): the editor.
        buttons (dict[str, Button]): by label, such as "Send as it is".
    """

    def __init__(self, client: AuthClient, *, clock: Clock | None = None) -> None:
        self.client = client
        self.clock = clock_of(client, clock)
        self._workers = Workers()
        # Whose payload is in the editor, and its text before any edit.
        self._source: tuple[object, Kind] | None = None
        self._offered = ""
        # Held while drawing: several threads redraw, and each reads the editor before it fills it.
        self._drawing = threading.Lock()

        self.kind = widgets.ToggleButtons(
            options=[("Access token", "access"), ("Refresh token", "refresh")],
            description="Token",
            style={"button_width": "auto"},
        )
        self.parts = widgets.HTML()
        self.claims = widgets.HTML()
        self.payload = widgets.Textarea(
            description="Payload",
            layout=widgets.Layout(width="auto"),
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
        super().__init__(
            [widgets.HBox([left, right], layout=columns), Stylesheet()], **classes("lab-inspector")
        )

        self._say("Send the token to see the server's verdict here.")
        self.refresh()
        self.kind.observe(self._on_kind, names="value")
        self._redraw = Pulse(0.03, self._draw)
        self.on_close(client.log.subscribe(self._on_event), self._redraw.stop)

    def refresh(self) -> None:
        """Redraw what time and events change. Equal values send no message."""
        with self._drawing:
            pair, kind = self.client.store.get(), self.kind.value
            if pair is None:
                self.parts.value = f'<div class="lab-jwt">{_EMPTY}</div>'
                self.claims.value = ""
                self._fill(None, "")
                return
            token = _token_of(pair, kind)
            self.parts.value = draw_parts(token)
            self.claims.value = draw_claims(token, self.clock())
            self._fill((pair.session, kind), pretty(split(token).payload_text))

    def wait(self, timeout: float = 20.0) -> None:
        """Wait until the response to the token has arrived.

        Raises:
            TimeoutError: none has arrived after `timeout` seconds.
        """
        self._workers.wait(timeout)

    def to_svg(self) -> str:
        """The chosen token's claims and what they mean, without the ids, which are random."""
        from ..log.pictures.page import Words, page  # with its library, slow to import
        from ..log.pictures.table import Cell, table

        pair, kind = self.client.store.get(), self.kind.value
        if pair is None:
            return page("The token", [[Words(_EMPTY)]])
        claims, now = read_claims(_token_of(pair, kind)), self.clock()
        rows = [
            [Cell(cut(name, 24)), Cell(_value(name, value, now))] for name, value in claims.items()
        ]
        return table(f"The claims of the {kind} token", ["Claim", "Value"], rows)

    # What the buttons do

    def _forge_and_send(self, label: str) -> None:
        """Make the button's token and send it in a thread, with all buttons disabled."""
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
            # The editor shows the payload over several lines. A payload that was not edited is
            # sent with its original bytes, or an added space would break its signature.
            edited = typed != pretty(text)
            load += ", its payload edited" if edited else ", its payload not edited"
            token = way.forge(token, typed if edited else text)
        self._set_disabled(True)
        try:
            self._workers.start("The token", lambda: self._probe(token, to, load))
        except NoThread as error:
            self._set_disabled(False)
            self._say(f"{error}", bad=True)

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
                note = _note_on_refresh(json_of(response))
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
        """Put the payload into the editor, but keep the edits of this session."""
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


def _value(name: str, value: object, now: float) -> str:
    """A claim's value, in the same words on every run."""
    if name in ("sid", "jti", "_id"):
        return "a random id"
    if name == "exp" and is_time(value):
        return life(value, now)
    if name == "iat" and is_time(value):
        return f"{math.floor(now - value)} s ago"
    return cut(value, 60)


def _note_on_refresh(answer: object) -> str:
    """What a refresh outside the session has done, by its response."""
    if not isinstance(answer, dict):
        return "The response is no JSON object. Is base_url the demo server's address?"
    return _SPENT if "refreshToken" in answer else _THROWN_AWAY


def _button(label: str) -> widgets.Button:
    style = "primary" if label == "Send as it is" else ""
    return widgets.Button(description=label, button_style=style)


def _token_of(pair: TokenPair, kind: Kind) -> str:
    return pair.access if kind == "access" else pair.refresh
