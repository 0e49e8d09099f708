"""From events to the rows of a sequence: who sent what to whom, and what came back.

`pictures.sequence` draws the rows as SVG, and `mermaid` writes them as Mermaid.

- The lanes are the panel, each client, the server and the database, if they take part. The
  database records no events: the server's events show what it was asked.
- Calls are numbered. Equal messages of calls made at once are one row with a count, so five
  calls at once tell the same story whichever of them was first. Told apart, each of these calls
  has its own lane.
- Each fact is drawn once: that a token has expired is told by the refusal, that it is valid by
  the request.
- A text may contain what a user typed: each is cut, and escaped where it is drawn. A missing
  field is shown as empty.
"""

from __future__ import annotations

import json
from bisect import bisect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ..clock import life
from ..display import cut
from ..protocol.auth_flow import WITHOUT_TOKEN
from ..protocol.tokens import is_time
from .event import LIMIT, Event, action_of, is_call, last_steps

#: Lanes. A client's is this and its name, a call's this, its number and its client's name.
PANEL, CLIENT, CALL, SERVER, DATABASE = "panel", "client ", "call ", "server", "database"

#: What a row is, whatever colour that has.
Tone: TypeAlias = Literal["plain", "muted", "ok", "bad", "warn"]

#: Returns the number of the call that begins with an event.
Numbers: TypeAlias = Callable[[Event], int]


#: What an empty story says, and what to do about it.
NOTHING, FIRST = "Nothing has happened yet.", "Register first: each message becomes an arrow."


@dataclass
class Row:
    """A row of the sequence.

    Attributes:
        start, end (str): lanes; equal for a note, "" for a gap over all lanes.
        words (str): on the arrow, or the note.
        more (str): below the arrow.
        status (str): in a badge on the arrow.
        tone (Tone): whether it is good or bad news.
        answer (bool): is this a response?
        lost (bool): does this say that no response arrived?
        calls (list[int]): the numbers of the calls that sent or received this.
        numbered (bool): are the numbers shown?
        count (int): how many equal messages this is.
        callers (set[object]): whose calls they are; a caller's own messages are never merged.
        apart (bool): is this the first of some equal messages that are told apart?
        held (bool): is this the message that waits in step mode?
        bracket (str): "refresh", "retry" or "".
        action (object): whose bracket it is.
    """

    start: str
    end: str
    words: str = ""
    more: str = ""
    status: str = ""
    tone: Tone = "muted"
    answer: bool = False
    lost: bool = False
    calls: list[int] = field(default_factory=list)
    numbered: bool = False
    count: int = 1
    callers: set[object] = field(default_factory=set)
    apart: bool = False
    held: bool = False
    bracket: str = ""
    action: object = None

    @property
    def title(self) -> str:
        """The words, with the numbers of the calls in front and the count behind."""
        number = f"#{ranges(self.calls)} " if self.numbered and any(self.calls) else ""
        times = f" ×{self.count}" if self.count > 1 and not self.status else ""
        return f"{number}{self.words}{times}"

    @property
    def badge(self) -> str:
        """The status with its count."""
        return f"{self.status} ×{self.count}" if self.count > 1 else self.status


def story_of(
    events: Iterable[Event],
    *,
    number: Numbers | None = None,
    held: str = "",
    limit: int = LIMIT,
    apart: bool = False,
) -> Story:
    """The rows of some events.

    Args:
        events (Iterable[Event]): in order; events with nothing to tell are skipped.
        number: returns the number of the call that begins with an event, as
            `EventLog.call_number` does; by default the first call of the events is 1.
        held (str): the message that waits in step mode, such as "GET /home (call)".
        limit (int): tell at most this many events, the last ones. An action that began before
            them is left out whole if there is another; the first row says so.
        apart (bool): tell calls made at once apart, each in its own lane.

    Raises:
        ValueError: the limit is below 1.
    """
    if limit < 1:
        raise ValueError(f"limit must be 1 or more, not {limit}")
    steps = [event for event in events if event.name in _STEPS]
    last = last_steps(steps, limit)
    if number is None:
        calls = [event.seq for event in steps if is_call(event)]
        number = lambda event: bisect(calls, event.seq)  # noqa: E731
    story = Story(last, number, apart)
    for event in last:
        _STEPS[event.name](story, event)
    if len(last) < len(steps):
        about = f"the last {len(last)} of {len(steps)} events"
        story.rows.insert(0, Row("", "", words=about))
    if held:
        story.rows.append(Row("", "", words=f"{cut(held, 60)} is held", tone="warn", held=True))
    if not story.touched:
        story.touched = {story.client_named("client"), SERVER}
    if not story.rows:
        story.rows.append(Row("", "", words=NOTHING, more=FIRST, tone="plain"))
    return story


class Story:
    """Collects the rows, and merges those that are equal.

    A call is known by its client and its correlation.

    Attributes:
        rows (list[Row]): top to bottom.
        pressed (list[str]): the labels of the buttons that were pressed.
        told (set): the actions whose messages a client tells; there the server's words about
            tokens would be said twice.
        presses (set): the actions that began with a button.
    """

    def __init__(self, events: list[Event], number: Numbers, apart: bool) -> None:
        self.rows: list[Row] = []
        self.pressed: list[str] = []
        self.told = {action_of(e) for e in events if e.name.startswith("request.")} - {None}
        self.presses = {action_of(e) for e in events if e.name == "button.pressed"}
        self.touched: set[str] = set()
        self.issued: dict[object, list[str]] = {}
        self._begins = number
        self._apart = apart
        # Lanes of clients and of calls, with their names.
        self._lanes: dict[str, dict[str, str]] = {}
        self._number: dict[object, int] = {}
        self._equal: dict[object, Row] = {}
        self._sent: dict[object, tuple[object, Event]] = {}
        self._fresh: set[object] = set()

    @property
    def lanes(self) -> dict[str, str]:
        """The lanes that take part, left to right, with their names."""
        names = {PANEL: "Panel"}
        for client, calls in self._lanes.items():
            name = client.removeprefix(CLIENT)
            names |= {client: "Client" if name == "client" else cut(name, 24), **calls}
        names |= {SERVER: "Server", DATABASE: "Database"}
        return {lane: name for lane, name in names.items() if lane in self.touched}

    def client(self, event: Event) -> str:
        """The lane of the client that an event is from; that of its call, if they are apart."""
        return self._call(event) or self.client_named(event.source)

    def client_named(self, name: str) -> str:
        lane = CLIENT + name
        self._lanes.setdefault(lane, {})
        return lane

    def _call(self, event: Event) -> str:
        if not self._apart or event.correlation == action_of(event):
            return ""
        number = self.number(event)
        lane = f"{CALL}{number} {event.source}"
        self._lanes[self.client_named(event.source)][lane] = f"#{number}"
        return lane

    def add(self, row: Row) -> Row:
        """Add a row that nothing is merged with."""
        self.touched |= {row.start, row.end} - {""}
        self.rows.append(row)
        return row

    def merge(self, event: Event, key: object, row: Row) -> None:
        """A row that is there once for all calls of the action that have it."""
        row.action = action_of(event)
        known = self._equal.get((row.action, key))
        if known is None or event.correlation in known.callers:
            self._equal[row.action, key] = known = self.add(row)
        elif self._apart:
            known.apart = True
            row.more = ""  # the first has said it
            self.add(row).calls.append(self.number(event))
            return
        else:
            known.count += 1
        known.calls.append(self.number(event))
        known.callers.add(event.correlation)

    def number(self, event: Event) -> int:
        """The number of the call that a client's event belongs to; 0 if it is not known."""
        call = (event.source, event.correlation)
        if is_call(event):
            self._number[call] = self._begins(event)
        return self._number.get(call, 0)

    def sent(self, event: Event, key: object) -> None:
        """Remember the request, for its response."""
        fields = event.fields
        about = (event.source, event.correlation, fields.get("purpose"), fields.get("path"))
        self._sent[about] = (key, event)

    def request_of(self, event: Event) -> tuple[object, Event | None]:
        """The request that a response or a failure belongs to, and its key."""
        fields = event.fields
        about = (event.source, event.correlation, fields.get("purpose"), fields.get("path"))
        return self._sent.get(about, (about, None))

    def remember_fresh(self, event: Event) -> None:
        """A token that was received in this action is called new."""
        self._fresh.add((action_of(event), str(event.fields.get("token"))))

    def is_fresh(self, event: Event) -> bool:
        return (action_of(event), str(event.fields.get("token"))) in self._fresh


def ranges(numbers: list[int]) -> str:
    """Numbers in short: 5, 6, 7 and 9 are "5–7, 9"."""
    parts: list[list[int]] = []
    for number in sorted(filter(None, numbers)):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in parts)


# What is told for each event.


def _field(event: Event, name: str, length: int = 40) -> str:
    return cut(event.fields.get(name, ""), length)


def _plain(event: Event, name: str) -> str:
    return _field(event, name).replace("_", " ")


def _username(event: Event) -> str:
    return _field(event, "username", 24) or "(empty)"


def _expired(event: Event) -> bool:
    exp = event.fields.get("exp")
    return is_time(exp) and exp <= event.at


def _carried(story: Story, event: Event) -> str:
    """What the request says of its token. That it has expired is told by the response."""
    if "kind" not in event.fields:
        return "" if event.fields.get("path") in WITHOUT_TOKEN else "without a token"
    new = "new " if story.is_fresh(event) else ""
    exp = event.fields.get("exp")
    left = f", {life(exp, event.at)}" if is_time(exp) and not _expired(event) else ""
    return f"{new}{_field(event, 'kind', 8)} token{left}"


def _sent(story: Story, event: Event) -> None:
    purpose = event.fields.get("purpose")
    bracket = str(purpose) if purpose in ("refresh", "retry") else ""
    target = f"{_field(event, 'method', 8)} {_field(event, 'path')}"
    row = Row(
        story.client(event),
        SERVER,
        words=f"{target} again" if bracket == "retry" else target,
        more=_carried(story, event),
        numbered=bracket != "refresh",
        bracket=bracket,
    )
    # Not what is left of the token: a second may pass between two of these messages.
    carried = (_field(event, "kind"), _field(event, "token"))
    key = (event.source, target, bracket, carried)
    story.sent(event, key)
    story.merge(event, key, row)


def _received(story: Story, event: Event) -> None:
    key, request = story.request_of(event)
    status = event.fields.get("status")
    refused = isinstance(status, int) and status >= 400
    if refused:
        why = _plain(event, "error")
        if request and _expired(request) and why in ("", "token expired", "invalid token"):
            why = life(request.fields["exp"], request.at)
    else:
        kinds = story.issued.get(event.correlation, [])
        new = "new " if event.fields.get("purpose") == "refresh" else ""
        why = "both tokens" if len(kinds) == 2 else f"{new}{kinds[0]} token" if kinds else ""
    story.issued.pop(event.correlation, None)
    purpose = event.fields.get("purpose")
    words = f"{_field(event, 'status', 8)} {why}".strip()
    bracket = str(purpose) if purpose in ("refresh", "retry") else ""
    story.merge(
        event,
        (key, _field(event, "status"), _field(event, "error")),
        Row(
            SERVER,
            story.client(event),
            status=words,
            tone="bad" if refused else "ok",
            answer=True,
            bracket=bracket,
        ),
    )
    if not refused and purpose != "refresh" and action_of(event) in story.presses:
        shown = _message(event)
        if shown:
            row = Row(story.client(event), PANEL, words=shown, tone="ok", answer=True)
            story.merge(event, ("shown", shown), row)


def _message(event: Event) -> str:
    """What the answer says to a person."""
    try:
        body = json.loads(str(event.fields.get("body", "")))
    except ValueError:
        return ""
    message = body.get("message") if isinstance(body, dict) else None
    return cut(message, 24) if isinstance(message, str) else ""


def _failed(story: Story, event: Event) -> None:
    key, _ = story.request_of(event)
    reason = _field(event, "reason") or "no response"
    row = Row(SERVER, story.client(event), status=f"✗ {reason}", tone="bad", answer=True, lost=True)
    story.merge(event, (key, reason), row)


def _note(story: Story, event: Event, words: str, tone: Tone = "muted") -> None:
    lane = _lane(story, event)
    story.add(Row(lane, lane, words=words, tone=tone))


def _lane(story: Story, event: Event) -> str:
    return {"panel": PANEL, "server": SERVER}.get(event.source) or story.client(event)


def _untold(story: Story, event: Event, words: str, tone: Tone = "muted") -> None:
    """The server's words about a token, if no client tells the same."""
    if action_of(event) not in story.told:
        _note(story, event, words, tone)


def _asks_database(story: Story, event: Event, asks: str, answer: str, tone: Tone) -> None:
    story.add(Row(SERVER, DATABASE, words=f"{asks} {_username(event)}"))
    story.add(Row(DATABASE, SERVER, words=answer, tone=tone, answer=True))


def _registered(story: Story, event: Event) -> None:
    _asks_database(story, event, "store", "stored", "ok")


def _not_registered(story: Story, event: Event) -> None:
    _asks_database(story, event, "store", "the name is taken", "bad")


def _logged_in(story: Story, event: Event) -> None:
    _asks_database(story, event, "find", "found", "ok")


def _not_logged_in(story: Story, event: Event) -> None:
    unknown = event.fields.get("reason") == "user_unknown"
    _asks_database(story, event, "find", *(("none", "bad") if unknown else ("found", "ok")))


def _issued(story: Story, event: Event) -> None:
    kind = _field(event, "kind", 8)
    story.issued.setdefault(event.correlation, []).append(kind)
    _untold(story, event, f"{kind} token issued")


def _accepted(story: Story, event: Event) -> None:
    exp = event.fields.get("exp")
    left = f", {life(exp, event.at)}" if is_time(exp) else ""
    _untold(story, event, f"{_field(event, 'kind', 8)} token accepted{left}")


def _rejected(story: Story, event: Event) -> None:
    exp = event.fields.get("exp")
    why = life(exp, event.at) if is_time(exp) and _expired(event) else _plain(event, "reason")
    _untold(story, event, f"{_field(event, 'kind', 8)} token rejected: {why}", "bad")


def _repeated(story: Story, event: Event) -> None:
    _note(story, event, "spent just now: the same successor again")


def _reused(story: Story, event: Event) -> None:
    _note(story, event, "a spent refresh token came again", "bad")


def _revoked(story: Story, event: Event) -> None:
    _note(story, event, f"the session of {_username(event)} has ended", "bad")


def _throttled(story: Story, event: Event) -> None:
    _note(story, event, f"{_username(event)} must wait {_field(event, 'wait', 8)} s", "bad")


def _postponed(story: Story, event: Event) -> None:
    _note(story, event, f"no refresh for {_field(event, 'wait', 8)} s")


def _refreshed(story: Story, event: Event) -> None:
    story.remember_fresh(event)


def _ended(story: Story, event: Event) -> None:
    if event.fields.get("reason") == "refresh_refused":
        _note(story, event, "the session has ended", "bad")
    else:
        _note(story, event, _plain(event, "reason") or "the session has ended")


def _started(story: Story, event: Event) -> None:
    if action_of(event) in story.presses:
        story.add(Row(story.client(event), PANEL, words="logged in", tone="ok", answer=True))
    else:
        _note(story, event, f"{_username(event)} is logged in")


def _pressed(story: Story, event: Event) -> None:
    button = _field(event, "button")
    story.pressed.append(button)
    client = story.client_named(str(event.fields.get("client", "client")))
    story.add(Row(PANEL, client, words=button, tone="plain"))


def _moved(story: Story, event: Event) -> None:
    story.add(Row("", "", words=f"the clock moves by {_field(event, 'seconds', 16)} s"))


_Step: TypeAlias = Callable[[Story, Event], None]

_STEPS: dict[str, _Step] = {
    "request.sent": _sent,
    "request.retried": _sent,
    "request.failed": _failed,
    "response.received": _received,
    "session.started": _started,
    "session.ended": _ended,
    "token.refreshed": _refreshed,
    "refresh.postponed": _postponed,
    "user.registered": _registered,
    "registration.refused": _not_registered,
    "login.accepted": _logged_in,
    "login.refused": _not_logged_in,
    "token.issued": _issued,
    "token.accepted": _accepted,
    "token.rejected": _rejected,
    "token.repeated": _repeated,
    "reuse.detected": _reused,
    "family.revoked": _revoked,
    "login.throttled": _throttled,
    "button.pressed": _pressed,
    "clock.advanced": _moved,
}
