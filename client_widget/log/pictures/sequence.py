"""The sequence picture: a lane for each that takes part, and a row for each message.

What is written on an arrow is in the gap next to the server, or next to the panel, so that texts
are in one column and no lane runs through them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import svg

from ..event import LIMIT, Event
from ..story import CALL, DATABASE, PANEL, SERVER, Numbers, Row, Story, story_of
from .shapes import Role, arrow, badge, box, button, drawing, label, line, moving, width_of

_HEAD, _MARGIN = 42, 12

#: A bracket's name is in its padding; the gap is around the bracket.
_PADDING, _BELOW, _GAP = 18, 4, 7

#: What a button in the picture asks for: calls made at once together or apart, and to send the
#: message that waits.
APART, SEND = "apart", "send"


def sequence(
    events: Iterable[Event],
    *,
    number: Numbers | None = None,
    held: str = "",
    limit: int = LIMIT,
    apart: bool = False,
    controls: Iterable[str] = (),
    playable: bool = False,
) -> str:
    """The picture as SVG text.

    Args:
        events, number, held, limit, apart: as in `story_of`.
        controls (Iterable[str]): which buttons to draw, of `APART` and `SEND`. They need a widget
            that answers them.
        playable (bool): with the class "plays", the messages travel once, one after the other,
            unless the reader prefers reduced motion.

    Raises:
        ValueError: the limit is below 1.
    """
    story = story_of(events, number=number, held=held, limit=limit, apart=apart)
    return _Drawing(story, frozenset(controls), playable).text()


@dataclass
class _Frame:
    """A bracket: its name, its first and last row, and its client's lane."""

    name: str
    first: int
    last: int
    lane: str


class _Drawing:
    def __init__(self, story: Story, controls: frozenset[str], playable: bool) -> None:
        self._story, self._rows, self._names = story, story.rows, story.lanes
        self._controls, self._playable = controls, playable
        self._order = list(self._names)
        self._frames = self._brackets()
        self._at = self._places()
        self._right = self._at[self._order[-1]] + max(
            36, width_of(self._names[self._order[-1]]) / 2 + 2 * _MARGIN
        )
        for row in self._rows:  # a note or a gap may be wider than the lanes
            if row.start == row.end:
                half = self._width(row) / 2
                middle = self._at[row.start] if row.start else half + _MARGIN
                self._right = max(self._right, middle + half + 2 * _MARGIN)
        self._tops, self._bottom = self._heights()

    def text(self) -> str:
        """The picture as SVG text."""
        height = self._bottom + _MARGIN - 2
        elements: list[svg.Element] = [box(0, 0, self._right, height, "back", radius=0)]
        elements += [line(x, 34, x, height - 4) for x in self._at.values()]
        for lane in self._order:
            elements += self._head(lane)
        for frame in self._frames:
            elements += self._step(frame.first, self._framed(frame))
        for index, row in enumerate(self._rows):
            elements += self._step(index, self._drawn(row, self._tops[index]))
        pressed = self._story.pressed
        return drawing(
            f"The flow of {pressed[0]}" if len(pressed) == 1 else "The flow of the messages",
            self._in_words(),
            self._right,
            height,
            elements,
            playable=self._playable,
            role="group" if any(self._button(row) for row in self._rows) else "img",
        )

    # Where things are

    def _brackets(self) -> list[_Frame]:
        """One for each refresh and each retry, from its request to its response."""
        frames: dict[tuple[object, str], _Frame] = {}
        for index, row in enumerate(self._rows):
            if row.bracket:
                lane = row.end if row.answer else row.start
                frame = frames.setdefault(
                    (row.action, row.bracket), _Frame(row.bracket, index, index, lane)
                )
                frame.last = index
                frame.lane = min(frame.lane, lane, key=self._order.index)
        return list(frames.values())

    def _gap(self, row: Row) -> tuple[str, str]:
        """The lanes between which the row's text is, left and right."""
        low, high = sorted((self._order.index(row.start), self._order.index(row.end)))
        if self._order[high] in (SERVER, DATABASE):
            return self._order[high - 1], self._order[high]
        return self._order[low], self._order[low + 1]

    def _places(self) -> dict[str, float]:
        """Where the lanes are: far enough from each other for what is written between them."""
        gaps = {
            (left, right): (width_of(self._names[left]) + width_of(self._names[right])) / 2
            + (16 if right.startswith(CALL) and left.startswith(CALL) else 36)
            for left, right in pairwise(self._order)
        }  # fmt: skip
        x = max(2 * _MARGIN + width_of(self._names[self._order[0]]) / 2, 36)
        for row in self._rows:
            if row.start != row.end:
                gap = self._gap(row)
                gaps[gap] = max(gaps[gap], self._width(row) + 20)
        across = max((self._width(row) for row in self._rows if not row.start), default=0)
        missing = max(0, across - sum(gaps.values()))
        for gap in gaps:  # what is written over all lanes is no wider than they are
            gaps[gap] += missing / len(gaps)
        for frame in self._frames:  # its corner is left of its lane
            before = self._order.index(frame.lane)
            x = max(x, 32) if before == 0 else x
        at = {self._order[0]: x}
        for (left, right), room in gaps.items():
            at[right] = at[left] + room
        return at

    def _width(self, row: Row) -> float:
        words = width_of(row.title, strong=row.numbered) + 14 * (self._button(row) == APART)
        if self._button(row) == SEND:
            words += 80
        return max(words, width_of(row.more), width_of(row.badge, strong=True) + 36)

    def _heights(self) -> tuple[list[float], float]:
        """The top of each row, and the bottom of the last one."""
        above, below = [0] * len(self._rows), [0] * len(self._rows)
        for frame in self._frames:
            above[frame.first] += _GAP + _PADDING
            below[frame.last] += _BELOW + _GAP
        tops, y = [], float(_HEAD)
        for row, more, less in zip(self._rows, above, below, strict=True):
            y += more
            tops.append(y)
            y += self._height(row) + less
        return tops, y

    def _height(self, row: Row) -> int:
        if row.start == row.end:
            return 30 + 16 * bool(row.more)
        return 28 if row.status else 26 + 14 * bool(row.more) + 8 * bool(self._button(row))

    # What is drawn

    def _button(self, row: Row) -> str:
        """What the row's button asks for, "" if it has none."""
        if row.held:
            return SEND if SEND in self._controls else ""
        many = row.numbered and (row.apart or row.count > 1)
        return APART if many and APART in self._controls else ""

    def _step(self, index: int, parts: list[svg.Element]) -> list[svg.Element]:
        """A row's parts as they are, or as one step of the story."""
        if not self._playable:
            return parts
        return [svg.G(elements=parts, class_=["step"], style=f"--n:{index}")]

    def _head(self, lane: str) -> list[svg.Element]:
        roles: dict[str, Role] = {PANEL: "panel", SERVER: "server", DATABASE: "database"}
        role, x, name = roles.get(lane, "client"), self._at[lane], self._names[lane]
        half = width_of(name) / 2 + (6 if lane.startswith(CALL) else _MARGIN)
        return [
            box(x - half, 8, 2 * half, 26, "box", role, radius=13),
            label(x, 25, name, "strong", role),
        ]

    def _framed(self, frame: _Frame) -> list[svg.Element]:
        top = self._tops[frame.first] - _PADDING
        bottom = self._tops[frame.last] + self._height(self._rows[frame.last]) + _BELOW
        left, right = self._at[frame.lane] - 20, self._at[SERVER] + 20
        for row in self._rows[frame.first : frame.last + 1]:
            if row.start and row.start == row.end:  # a note in between
                half = width_of(row.words) / 2 + 18
                left = min(left, self._at[row.start] - half)
                right = max(right, self._at[row.start] + half)
        role: Role = "warn" if frame.name == "refresh" else "panel"
        return [
            box(left, top, right - left, bottom - top, "frame", role, radius=8),
            label(left + 8, top + 15, frame.name, "strong", role, anchor="start"),
        ]

    def _drawn(self, row: Row, top: float) -> list[svg.Element]:
        if row.start == row.end:
            return self._noted(row, top) if row.start else self._passes(row, top)
        start, end = self._at[row.start], self._at[row.end]
        left, right = self._gap(row)
        y = top + (13 if row.status else 28 if self._button(row) else 20)
        middle = (self._at[left] + self._at[right]) / 2
        parts = arrow(start, end, y, row.tone, dashed=row.answer)
        if row.status:
            parts += badge(middle, y, row.badge, row.tone)
        elif self._button(row):
            width = self._width(row) + 12
            parts.append(
                button(middle - width / 2, y - 26, width, row.title, APART, opened=row.apart)
            )
        else:
            parts.append(label(middle, y - 6, row.title, "strong" if row.numbered else "text"))
        if row.more:
            parts.append(label(middle, y + 15, row.more, "muted"))
        if self._playable:
            parts.append(moving(start, end, y, row.tone))
        return parts

    def _noted(self, row: Row, top: float) -> list[svg.Element]:
        half = width_of(row.words) / 2 + 10
        x = max(self._at[row.start], half + _MARGIN)
        return [
            box(x - half, top + 2, 2 * half, 24, "box", row.tone),
            label(x, top + 18, row.words, row.tone),
        ]

    def _passes(self, row: Row, top: float) -> list[svg.Element]:
        """Time that passes, over all lanes."""
        half, middle = self._width(row) / 2 + 8, self._right / 2
        parts: list[svg.Element] = [
            line(_MARGIN, top + 15, self._right - _MARGIN, top + 15, "dashed", row.tone),
            box(middle - half, top + 1, 2 * half, self._height(row) - 2, "back", radius=0),
        ]
        if self._button(row) == SEND:
            name = f"Send it: {row.words}"
            parts.append(button(middle + half - 80, top + 3, 76, "Send it", SEND, name=name))
            middle -= 40
        if row.more:
            parts.append(label(middle, top + 36, row.more, "muted"))
        return [*parts, label(middle, top + 19, row.words, row.tone)]

    def _in_words(self) -> str:
        """The picture in words, a sentence for each row."""
        sentences = []
        for row in self._rows:
            words = " ".join(part for part in (row.title, row.badge) if part)
            words += f" ({row.more})" if row.more else ""
            words = f"{row.bracket}: {words}" if row.bracket and not row.answer else words
            if row.start == row.end:
                who = f"{self._names[row.start]}: " if row.start else ""
            else:
                who = f"{self._names[row.start]} to {self._names[row.end]}: "
            sentences.append(f"{who}{words}".rstrip("."))
        return ". ".join(sentences) + "."
