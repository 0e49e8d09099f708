"""The sequence picture: a lane for each that takes part, and a row for each message."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import svg

from ...display import cut
from ..event import LIMIT, Event
from .shapes import Role, arrow, badge, box, drawing, label, line, width_of
from .story import CLIENT, DATABASE, PANEL, SERVER, Row, Story, story_of

_HEAD, _MARGIN = 44, 14

#: Above a bracket's first row, for its name.
_PADDING = 26


def sequence(
    events: Iterable[Event], *, before: int = 0, held: str = "", limit: int = LIMIT
) -> str:
    """The picture as SVG text.

    Args:
        events (Iterable[Event]): in order; events with nothing to draw are skipped.
        before (int): how many calls the log has before these events. The numbers go on from it.
        held (str): the message that waits in step mode, such as "GET /home (call)".
        limit (int): draw at most this many events, the last ones. An action that began before
            them is left out whole if there is another; the picture says so.

    Raises:
        ValueError: the limit is below 1.
    """
    return _draw(story_of(events, before=before, held=held, limit=limit))


def _draw(story: Story) -> str:
    rows = story.rows
    clients = [lane for lane in story.lanes if lane.startswith(CLIENT)]
    names = {PANEL: "Panel", **{c: cut(c.removeprefix(CLIENT), 24) for c in clients}}
    names |= {SERVER: "Server", DATABASE: "Database"}
    lanes = [lane for lane in names if lane in story.lanes]
    at = _places(lanes, names, rows)
    width = at[lanes[-1]] + max(60, width_of(names[lanes[-1]]) / 2 + 14)
    for row in rows:  # a note or a gap may be wider than the lanes
        if row.start == row.end:
            middle = at[row.start] if row.start else width / 2
            width = max(width, middle + width_of(row.words) / 2 + 2 * _MARGIN)

    tops, y = [], float(_HEAD)
    for previous, row in zip([None, *rows], rows, strict=False):
        if (previous.bracket if previous else "") != row.bracket:
            y += 12 if previous and previous.bracket else 0
            y += _PADDING - 4 if row.bracket else 0
        tops.append(y)
        y += row.height
    height = y + _MARGIN + (8 if rows[-1].bracket else 0)

    roles: dict[str, Role] = {PANEL: "panel", SERVER: "server", DATABASE: "database"}
    elements: list[svg.Element] = [box(0, 0, width, height, "back", radius=0)]
    elements += [line(at[lane], 36, at[lane], height - 6) for lane in lanes]
    for lane in lanes:
        role, half = roles.get(lane, "client"), width_of(names[lane]) / 2 + 16
        elements.append(box(at[lane] - half, 10, 2 * half, 26, "box", role, radius=13))
        elements.append(label(at[lane], 27, names[lane], "strong", role))
    elements += _brackets(rows, tops, at)
    for row, top in zip(rows, tops, strict=True):
        elements += _drawn(row, top, at, width)
    return drawing(_title(story), _description(rows, names), width, height, elements)


def _places(lanes: list[str], names: dict[str, str], rows: list[Row]) -> dict[str, float]:
    """Where the lanes are: far enough from each other for what is written between them."""
    x = max(_MARGIN + 16 + width_of(names[lanes[0]]) / 2, 52)
    for row in rows:
        if row.start == row.end == lanes[0]:
            x = max(x, width_of(row.words) / 2 + 2 * _MARGIN)
    at = {lanes[0]: x}
    for left, right in pairwise(lanes):
        gap = (width_of(names[left]) + width_of(names[right])) / 2 + 48
        for row in rows:
            if {row.start, row.end} == {left, right}:
                words = max(
                    width_of(row.title, strong=row.numbered),
                    width_of(row.more),
                    width_of(row.badge, strong=True) + 60,
                )
                gap = max(gap, words + 24)
        at[right] = at[left] + gap
    return at


def _brackets(rows: list[Row], tops: list[float], at: dict[str, float]) -> list[svg.Element]:
    """A frame around each refresh and each retry, from its request to its response."""
    frames: dict[tuple[object, str, str], list[int]] = {}
    for index, row in enumerate(rows):
        if row.bracket:
            frames.setdefault((row.action, row.bracket, row.start if not row.answer else row.end),
                              []).append(index)  # fmt: skip
    drawn: list[svg.Element] = []
    for (_, name, client), inside in frames.items():
        top = tops[inside[0]] - _PADDING + 8
        bottom = tops[inside[-1]] + rows[inside[-1]].height + 8
        role: Role = "warn" if name == "refresh" else "panel"
        left, right = at[client] - 24, at[SERVER] + 24
        drawn.append(box(left, top, right - left, bottom - top, "frame", role, radius=8))
        drawn.append(label(left + 8, top + 15, name, "strong", role, anchor="start"))
    return drawn


def _drawn(row: Row, top: float, at: dict[str, float], width: float) -> list[svg.Element]:
    if row.start == row.end:
        return _gap(row, top, width) if not row.start else _noted(row, top, at[row.start])
    start, end = at[row.start], at[row.end]
    middle, y = (start + end) / 2, top + (14 if row.status else 22)
    parts = arrow(start, end, y, row.role, dashed=row.answer)
    if row.status:
        parts += badge(middle, y, row.badge, row.role)
    else:
        parts.append(label(middle, y - 6, row.title, "strong" if row.numbered else "text"))
    if row.more:
        parts.append(label(middle, y + 16, row.more, "muted"))
    return parts


def _noted(row: Row, top: float, x: float) -> list[svg.Element]:
    half = width_of(row.words) / 2 + 10
    return [
        box(x - half, top + 4, 2 * half, 24, "box", row.role),
        label(x, top + 20, row.words, row.role),
    ]


def _gap(row: Row, top: float, width: float) -> list[svg.Element]:
    """Time that passes, over all lanes."""
    half = width_of(row.words) / 2 + 8
    return [
        line(_MARGIN, top + 16, width - _MARGIN, top + 16, "dashed", row.role),
        box(width / 2 - half, top + 6, 2 * half, 20, "back", radius=0),
        label(width / 2, top + 20, row.words, row.role),
    ]


def _title(story: Story) -> str:
    if len(story.pressed) == 1:
        return f"The flow of {story.pressed[0]}"
    return "The flow of the messages"


def _description(rows: list[Row], names: dict[str, str]) -> str:
    """The picture in words, a sentence for each row."""
    sentences = []
    for row in rows:
        words = " ".join(part for part in (row.title, row.badge) if part)
        words += f" ({row.more})" if row.more else ""
        words = f"{row.bracket}: {words}" if row.bracket and not row.answer else words
        if row.start == row.end:
            who = f"{names[row.start]}: " if row.start else ""
        else:
            who = f"{names[row.start]} to {names[row.end]}: "
        sentences.append(f"{who}{words}".rstrip("."))
    return ". ".join(sentences) + "."
