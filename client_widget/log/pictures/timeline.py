"""The timeline: how long each token lives, when requests were answered, and now.

Its axis shows seconds since the last login, because the lab teaches lifetimes: an access token
expires at 60 and a session ends at 300. The time of day is in the log.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import svg

from ...clock import life
from ..story import ranges
from ..token_lives import Bar, Mark, Move, Timeline
from .shapes import Role, badge, box, drawing, label, line, width_of

_WIDTH, _LEFT, _RIGHT, _TOP = 800, 72, 16, 30

# Pixels.
_ROW, _LEVEL, _NEAR = 28, 26, 34

# Share of the axis on each side that is empty.
_MARGIN = 0.02

# The longest axis, in lifetimes of the longest token. So after an hour, a token of one minute is
# still drawn as a bar and not as a dot.
_LIVES = 3.0

# Seconds between two ticks: the first that needs at most `_MOST_TICKS`.
_STEPS = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 6 * 3600, 24 * 3600)
_MOST_TICKS = 12

_OUTCOMES: dict[str, Role] = {"refused": "bad", "no response": "panel", "answered": "ok"}


def timeline(facts: Timeline, now: float, *, window: bool = False) -> str:
    """The picture as SVG text.

    Args:
        facts (Timeline): what is drawn.
        now (float): in seconds since the epoch.
        window (bool): draw the refresh window of access tokens, too.
    """
    axis = _Axis(facts, now)
    elements: list[svg.Element] = []
    y = _TOP
    piles = _piles(facts.marks, axis)
    levels = max((len(pile) for _, pile in piles), default=1)
    elements.append(label(_LEFT - 14, y + 18, "requests", "muted", anchor="end"))
    for x, pile in piles:
        for level, (outcome, marks) in enumerate(pile):
            words = _called(marks)
            half = width_of(words, strong=True) / 2 + 10
            inside = min(max(x, _LEFT + half - 10), _WIDTH - half - 2)
            elements += badge(inside, y + 13 + level * _LEVEL, words, _OUTCOMES[outcome])
    y += levels * _LEVEL + 6
    if facts.moves:
        elements.append(label(_LEFT - 14, y + 16, "clock", "muted", anchor="end"))
        for move in facts.moves:
            elements += _moved(move, axis, y)
        y += _ROW
    for kind, bars in _rows(facts.tokens):
        elements.append(label(_LEFT - 14, y + 15, kind, anchor="end"))
        for bar in bars:
            elements += _lived(bar, bar.token in facts.spent, axis, now, y, window=window)
        y += _ROW
    if not facts.tokens:
        words = "No token yet. Log in: each token becomes a bar as long as its life."
        half = width_of(words) / 2 + 8
        elements.append(box(_WIDTH / 2 - half, y + 13, 2 * half, 20, "back", radius=0))
        elements.append(label(_WIDTH / 2, y + 28, words, "muted"))
        y += 2 * _ROW  # as high as with two tokens
    y += 4
    x = axis.x(now)
    below: list[svg.Element] = [box(0, 0, _WIDTH, y + 26, "back", radius=0)]
    for tick in axis.ticks:
        at = axis.x(axis.origin + tick)
        below.append(line(at, _TOP - 4, at, y))
        words = "login" if tick == 0 and facts.login is not None else f"{tick} s".replace("-", "−")
        below.append(label(at, y + 17, words, "muted"))
    # Behind what is written.
    below += [line(x, _TOP - 8, x, y, "plain", "now"), label(x, 16, "now", "strong")]
    return drawing("Timeline", sentence(facts, now), _WIDTH, y + 26, [*below, *elements])


def sentence(facts: Timeline, now: float) -> str:
    """The timeline in words, such as "Access token a1b2c3d4: 42 s left. Requests: 1, …"."""
    lives = [
        f"{bar.kind} token {bar.token}: {_state(bar, bar.token in facts.spent, now)}"
        for bar in reversed(facts.tokens)
    ]
    tokens = "; ".join(lives) or "no token yet"
    outcomes = [_outcome(mark) for mark in facts.marks]
    moves = "".join(f" The clock moved by {move.seconds:+g} s." for move in facts.moves[-3:])
    return (
        f"{tokens[0].upper()}{tokens[1:]}. Requests: {len(outcomes)}, "
        f"refused: {outcomes.count('refused')}, "
        f"no response: {outcomes.count('no response')}.{moves}"
    )


class _Axis:
    """From seconds since the epoch to pixels."""

    def __init__(self, facts: Timeline, now: float) -> None:
        bars = facts.tokens
        earliest = [*(bar.iat for bar in bars), *(mark.at for mark in facts.marks), now]
        self.origin = facts.login if facts.login is not None else min(earliest)
        longest = max((bar.exp - bar.iat for bar in bars), default=60.0)
        end = max([now, *(bar.exp for bar in bars)])
        start = max(min([now, *(bar.iat for bar in bars)]), end - _LIVES * longest)
        end = max(end, start + longest)
        room = (end - start) * _MARGIN
        self.start, self.end = start - room, end + room
        self._scale = (_WIDTH - _LEFT - _RIGHT) / (self.end - self.start)

    def x(self, at: float) -> float:
        """Where a time is; what is too early is at the left end."""
        return _LEFT + (min(max(at, self.start), self.end) - self.start) * self._scale

    @property
    def ticks(self) -> list[int]:
        """Round numbers of seconds; 60 and 300 are among them."""
        start, end = self.start - self.origin, self.end - self.origin
        step = next((s for s in _STEPS if (end - start) / s <= _MOST_TICKS), None)
        step = step or math.ceil((end - start) / _MOST_TICKS)
        return list(range(math.ceil(start / step) * step, math.floor(end) + 1, step))


def _outcome(mark: Mark) -> str:
    if mark.status is None:
        return "no response"
    return "answered" if mark.status < 400 else "refused"


def _piles(marks: Iterable[Mark], axis: _Axis) -> list[tuple[float, list[tuple[str, list[Mark]]]]]:
    """Marks that are too close are one pile, in which equal outcomes are one badge."""
    piles: list[tuple[float, dict[str, list[Mark]]]] = []
    for mark in marks:
        if mark.at < axis.start:
            continue
        x = axis.x(mark.at)
        if not piles or x - piles[-1][0] > _NEAR:
            piles.append((x, {}))
        piles[-1][1].setdefault(_outcome(mark), []).append(mark)
    return [(x, [(each, pile[each]) for each in _OUTCOMES if each in pile]) for x, pile in piles]


def _called(marks: list[Mark]) -> str:
    """The numbers of the calls."""
    words = ranges(sorted({mark.call for mark in marks}))
    return words if 0 < len(words) <= 5 else f"{len(marks)}×"


def _rows(bars: Iterable[Bar]) -> list[tuple[str, list[Bar]]]:
    """Tokens of a kind that follow each other are in one row."""
    rows: list[tuple[str, list[Bar]]] = []
    for bar in bars:
        free = (row for kind, row in rows if kind == bar.kind and row[-1].exp <= bar.iat)
        row = next(free, None)
        if row is None:
            rows.append((bar.kind, [bar]))
        else:
            row.append(bar)
    return sorted(rows, key=lambda row: row[0])


def _state(bar: Bar, spent: bool, now: float) -> str:
    return "spent" if spent else life(bar.exp, now)


def _lived(
    bar: Bar, spent: bool, axis: _Axis, now: float, y: float, *, window: bool
) -> list[svg.Element]:
    """A bar, which fades once its token is spent or has expired."""
    start, end = axis.x(bar.iat), axis.x(bar.exp)
    over = spent or bar.exp <= now
    role: Role = "access" if bar.kind == "access" else "client"
    faded = ["faded"] if over else []
    parts: list[svg.Element] = []
    if window and bar.kind == "access":
        at = axis.x(bar.window)
        parts.append(box(at, y, max(end - at - 2, 1), 20, "solid", "window", *faded, radius=4))
        end = at
    width = max(end - start - 2, 1)
    parts.append(box(start, y, width, 20, "back", radius=4))
    parts.append(box(start, y, width, 20, "solid", role, *faded, radius=4))
    words = _state(bar, spent, now)
    if over and not spent:
        words = "expired"
    for text in (f"{bar.token} {words}", words, ""):
        if text and width_of(text) + 6 <= width:
            parts.append(label((start + end) / 2, y + 14, text, "mono", "text" if over else "on"))
            break
    return parts


def _moved(move: Move, axis: _Axis, y: float) -> list[svg.Element]:
    start, end = axis.x(move.at - move.seconds), axis.x(move.at)
    words = f"{move.seconds:+g} s"
    half = width_of(words) / 2 + 4
    parts: list[svg.Element] = [line(start, y + 12, end, y + 12, "dashed", "muted")]
    if abs(end - start) > 2 * half:
        middle = (start + end) / 2
        parts.append(box(middle - half, y + 3, 2 * half, 18, "back", radius=0))
        parts.append(label(middle, y + 16, words, "muted"))
    return parts
