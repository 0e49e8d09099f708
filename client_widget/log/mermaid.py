"""Events as a Mermaid sequence diagram. JupyterLab and GitHub draw it; this is only its text.

- The lanes are the panel, each client, the server and the database, if they take part. The
  database records no events: the server's events show what it was asked.
- A text may contain what a user typed. So each text is cut, and every character that means
  something to Mermaid or HTML is written as a Mermaid code.
- No event breaks the diagram: a missing field is shown as empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from ..clock import life
from ..display import cut, printable
from ..protocol.tokens import is_time
from .event import LIMIT, Event, last_steps

# Pale enough for black text on white and for light grey text on black.
_RED = "rgba(255, 70, 70, 0.22)"

_PANEL, _SERVER, _DATABASE = "P", "S", "D"

# Characters other than letters and digits that Mermaid shows unchanged.
_PLAIN = frozenset(" .,/_-()'…")


def to_mermaid(events: Iterable[Event], *, limit: int = LIMIT) -> str:
    """The text of a sequence diagram.

    Args:
        events (Iterable[Event]): in order; events with nothing to draw are skipped.
        limit (int): draw at most this many steps, the last ones. An action that began before
            them is left out whole if there is another; a note says so.

    Raises:
        ValueError: the limit is below 1.
    """
    if limit < 1:
        raise ValueError(f"limit must be 1 or more, not {limit}")
    steps = [event for event in events if event.name in _STEPS]
    last = last_steps(steps, limit)
    picture = _Picture()
    for event in last:
        _STEPS[event.name](picture, event)
    if not steps:
        picture.note(_SERVER, "nothing to show yet")
    return picture.text(f"the last {len(last)} of {len(steps)} steps" if last != steps else "")


class _Picture:
    """Collects the arrows and notes, and the lanes that they touch."""

    def __init__(self) -> None:
        self._clients: dict[str, str] = {}
        self._touched: set[str] = set()
        self._lines: list[str] = []

    def lane(self, source: str) -> str:
        """The lane of the source that recorded an event."""
        own = {"panel": _PANEL, "server": _SERVER}.get(source)
        return own or self._clients.setdefault(source, f"C{len(self._clients) + 1}")

    def arrow(self, start: str, kind: str, end: str, *texts: str, red: bool = False) -> None:
        """An arrow with its text, one line for each that is given."""
        self._touched |= {start, end}
        arrow = f"{start}{kind}{end}: {_joined(texts)}"
        self._lines += [f"rect {_RED}", f"    {arrow}", "end"] if red else [arrow]

    def note(self, lane: str, text: str) -> None:
        """A note on a lane."""
        self._touched.add(lane)
        self._lines.append(f"Note over {lane}: {escape(text)}")

    def text(self, heading: str) -> str:
        """The diagram; its heading is a note over all lanes."""
        names = {_PANEL: "Panel"}
        names |= {lane: escape(cut(source, 24)) for source, lane in self._clients.items()}
        names |= {_SERVER: "Server", _DATABASE: "Database"}
        lanes = [lane for lane in names if lane in self._touched]
        lines = [f"participant {lane} as {names[lane]}" for lane in lanes]
        if heading:
            ends = ",".join(dict.fromkeys((lanes[0], lanes[-1])))
            lines.append(f"Note over {ends}: {escape(heading)}")
        return "\n    ".join(["sequenceDiagram", *lines, *self._lines]) + "\n"


def escape(text: str) -> str:
    """A text that Mermaid shows unchanged, written in codes such as `#59;`.

    Every character is encoded unless it is known to be harmless. A character that cannot be
    printed, such as one that reverses the writing direction, becomes `�`.
    """
    codes = (c if c.isalnum() or c in _PLAIN else f"#{ord(c)};" for c in printable(text))
    # An empty text is a syntax error.
    return "".join(codes) if text.strip() else "(empty)"


def _joined(texts: Iterable[str]) -> str:
    return "<br/>".join(escape(text) for text in texts)


# What is drawn for each event.


def _field(event: Event, name: str, length: int = 40) -> str:
    return cut(event.fields.get(name, ""), length)


def _username(event: Event) -> str:
    return _field(event, "username", 24) or "(empty)"


def _target(event: Event) -> str:
    return f"{_field(event, 'method', 8)} {_field(event, 'path')}"


def _kind(event: Event) -> str:
    return _field(event, "kind", 8)


def _left(event: Event) -> str:
    """What is left of the token, after a comma; nothing if that is not known."""
    exp = event.fields.get("exp")
    return f", {life(exp, event.at)}" if is_time(exp) else ""


def _sent(picture: _Picture, event: Event) -> None:
    again = "again, " if event.name == "request.retried" else ""
    carries = "kind" in event.fields
    token = f"{_kind(event)} token{_left(event)}" if carries else "without a token"
    picture.arrow(picture.lane(event.source), "->>", _SERVER, again + _target(event), token)


def _received(picture: _Picture, event: Event) -> None:
    status = event.fields.get("status")
    answer = f"{_field(event, 'status', 8)} {_field(event, 'error')}".strip()
    refused = isinstance(status, int) and status >= 400
    picture.arrow(_SERVER, "-->>", picture.lane(event.source), answer, red=refused)


def _failed(picture: _Picture, event: Event) -> None:
    lane = picture.lane(event.source)
    picture.arrow(lane, "-x", _SERVER, f"{_target(event)} failed", _field(event, "reason"))


def _asks_database(
    picture: _Picture, event: Event, request: str, answer: str, *, red: bool = False
) -> None:
    picture.arrow(_SERVER, "->>", _DATABASE, f"{request} {_username(event)}")
    picture.arrow(_DATABASE, "-->>", _SERVER, answer, red=red)


def _registered(picture: _Picture, event: Event) -> None:
    _asks_database(picture, event, "store", "stored")


def _not_registered(picture: _Picture, event: Event) -> None:
    _asks_database(picture, event, "store", "refused, the name is taken", red=True)


def _logged_in(picture: _Picture, event: Event) -> None:
    _asks_database(picture, event, "find", "found")
    picture.note(_SERVER, "the password is right")


def _not_logged_in(picture: _Picture, event: Event) -> None:
    if event.fields.get("reason") == "user_unknown":
        _asks_database(picture, event, "find", "none")
    else:
        _asks_database(picture, event, "find", "found")
        picture.note(_SERVER, "the password is wrong")


def _issued(picture: _Picture, event: Event) -> None:
    iat, exp = event.fields.get("iat"), event.fields.get("exp")
    lifetime = f", valid for {exp - iat} s" if is_time(iat) and is_time(exp) else ""
    picture.note(_SERVER, f"{_kind(event)} token issued{lifetime}")


def _accepted(picture: _Picture, event: Event) -> None:
    picture.note(_SERVER, f"{_kind(event)} token accepted{_left(event)}")


def _rejected(picture: _Picture, event: Event) -> None:
    reason = event.fields.get("reason")
    if reason == "token_missing":
        picture.note(_SERVER, f"no {_kind(event)} token came")
        return
    why = f", {_field(event, 'detail', 60) or _field(event, 'reason')}"
    if reason == "token_expired":
        why = _left(event) or why
    picture.note(_SERVER, f"{_kind(event)} token rejected{why}")


def _spent(picture: _Picture, event: Event) -> None:
    picture.note(_SERVER, "the refresh token is spent")


def _repeated(picture: _Picture, event: Event) -> None:
    picture.note(_SERVER, "spent just now, the same successor is sent again")


def _reused(picture: _Picture, event: Event) -> None:
    picture.note(_SERVER, "a spent refresh token was used again")


def _revoked(picture: _Picture, event: Event) -> None:
    why = _field(event, "reason").replace("_", " ")
    picture.note(_SERVER, f"the session of {_username(event)} has ended, {why}")


def _throttled(picture: _Picture, event: Event) -> None:
    picture.note(_SERVER, f"{_username(event)} must wait {_field(event, 'wait', 8)} s")


def _expired(picture: _Picture, event: Event) -> None:
    exp = event.fields.get("exp")
    when = life(exp, event.at) if is_time(exp) else "has expired"
    picture.note(picture.lane(event.source), f"the access token {when}")


def _refused(picture: _Picture, event: Event) -> None:
    picture.note(picture.lane(event.source), "the access token was refused")


def _refreshed(picture: _Picture, event: Event) -> None:
    also = " and refresh token" if "refresh" in event.fields else ""
    picture.note(picture.lane(event.source), f"new {_kind(event)} token{also}{_left(event)}")


def _started(picture: _Picture, event: Event) -> None:
    picture.note(picture.lane(event.source), f"{_username(event)} is logged in")


def _ended(picture: _Picture, event: Event) -> None:
    why = _field(event, "reason").replace("_", " ")
    picture.note(picture.lane(event.source), f"the session has ended, {why}")


def _pressed(picture: _Picture, event: Event) -> None:
    client = picture.lane(str(event.fields.get("client", "client")))
    picture.arrow(_PANEL, "->>", client, _field(event, "button"))


def _moved(picture: _Picture, event: Event) -> None:
    seconds = _field(event, "seconds", 16)
    picture.note(picture.lane(event.source), f"the clock moves by {seconds} s")


_Step: TypeAlias = Callable[[_Picture, Event], None]

_STEPS: dict[str, _Step] = {
    "request.sent": _sent,
    "request.retried": _sent,
    "request.failed": _failed,
    "response.received": _received,
    "session.started": _started,
    "session.ended": _ended,
    "token.expired": _expired,
    "token.refused": _refused,
    "token.refreshed": _refreshed,
    "user.registered": _registered,
    "registration.refused": _not_registered,
    "login.accepted": _logged_in,
    "login.refused": _not_logged_in,
    "token.issued": _issued,
    "token.accepted": _accepted,
    "token.rejected": _rejected,
    "token.spent": _spent,
    "token.repeated": _repeated,
    "reuse.detected": _reused,
    "family.revoked": _revoked,
    "login.throttled": _throttled,
    "button.pressed": _pressed,
    "clock.advanced": _moved,
}
