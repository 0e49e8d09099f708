"""The picture of stampedes: a sign for each call by how it ended, and for each refresh."""

from __future__ import annotations

from collections.abc import Mapping

from client_widget.display import cut
from client_widget.log.pictures.shapes import (
    Element,
    Role,
    badge,
    box,
    drawing,
    label,
    line,
    width_of,
)

from ..outputs import Picture
from .stampede import StampedeResult, table

#: How a call may end: the field of a result, the word for it, its sign and its colour.
ENDS: tuple[tuple[str, str, str, Role], ...] = (
    ("answers", "answered", "●", "ok"),
    ("refused", "refused", "✚", "bad"),
    ("errors", "raised an error", "▲", "warn"),
    ("hangs", "hang", "■", "muted"),
)

_GRANTED, _REFUSED = "◆", "◇"

_MARGIN, _CALLS, _REFRESHES, _ROW, _HEAD = 16, 190, 456, 54, 36
_WIDTH = 860

#: Pixels for the signs of a row; many of them move closer together.
_ROOM = 240


def granted(result: StampedeResult) -> int:
    """How many of the refreshes the server granted.

    A server that ends the session at a second use has granted the first one. If no call got its
    answer and no session was ended, the refresh token was refused from the start.
    """
    if result.revoked:
        return 1
    return result.refreshes if result.answers else 0


def stampede_picture(results: Mapping[str, StampedeResult]) -> Picture:
    """A row for each result: its calls, its refreshes, and whether the session has ended.

    Args:
        results (Mapping[str, StampedeResult]): by the names of the strategies.
    """
    parts: list[Element] = [
        label(_CALLS, 24, "calls", "strong", "muted", anchor="start"),
        label(_REFRESHES, 24, "refreshes", "strong", "muted", anchor="start"),
    ]
    y, said = float(_HEAD), []
    for name, result in results.items():
        calls, refreshes = _calls(result), _refreshes(result)
        parts.append(line(_MARGIN, y, _WIDTH - _MARGIN, y))
        parts.append(label(_MARGIN, y + 22, cut(name, 24), "strong", anchor="start"))
        parts += _signs(calls, _CALLS, y)
        parts += _signs(refreshes, _REFRESHES, y)
        if result.revoked:
            words = "session ended"
            half = width_of(words, strong=True) / 2 + 10
            parts += badge(_WIDTH - _MARGIN - half, y + 18, words, "bad")
        told = [f"{count} {word}" for count, word, _, _ in [*calls, *refreshes] if count]
        said.append(f"{name}: {', '.join(told)}{', session ended' * bool(result.revoked)}")
        y += _ROW
    legend = [f"{sign} {word}" for _, word, sign, _ in ENDS]
    legend += [f"{_GRANTED} refresh granted", f"{_REFUSED} refresh refused"]
    x = float(_MARGIN)
    for words in legend:
        parts.append(label(x, y + 22, words, "muted", anchor="start"))
        x += width_of(words) + 12
    back = box(0, 0, _WIDTH, y + 36, "back", radius=0)
    svg = drawing("Stampede", "\n".join(said), _WIDTH, y + 36, [back, *parts])
    return Picture(svg, table(results))


_Group = tuple[int, str, str, Role]


def _calls(result: StampedeResult) -> list[_Group]:
    return [(getattr(result, field), word, sign, role) for field, word, sign, role in ENDS]


def _refreshes(result: StampedeResult) -> list[_Group]:
    first = granted(result)
    return [
        (first, "granted", _GRANTED, "access"),
        (result.refreshes - first, "refused", _REFUSED, "muted"),
    ]


def _signs(groups: list[_Group], x: float, y: float) -> list[Element]:
    """A sign for each, and how many they are."""
    pitch = min(14.0, _ROOM / max(1, sum(count for count, *_ in groups)))
    parts: list[Element] = []
    at = x + 6
    for count, _, sign, role in groups:
        for _ in range(count):
            parts.append(label(at, y + 22, sign, role))
            at += pitch
    told = [f"{count} {word}" for count, word, _, _ in groups if count]
    return [*parts, label(x, y + 42, ", ".join(told) or "none", "muted", anchor="start")]
