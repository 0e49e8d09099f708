"""The picture of a grace period: what the token that was spent last still returns, and when.

grace_picture([try_grace(grace) for grace in (0, 5, 30)])
"""

from __future__ import annotations

from collections.abc import Sequence

from client_widget.log.pictures.shapes import Element, Role, badge, box, drawing, label, line

from ..outputs import Picture
from .theft import (
    PERIOD,
    RETRY_AFTER,
    THIEF_AFTER,
    GraceTrial,
    grace_table,
    lost_words,
    thief_words,
)

_LEFT, _SCALE, _ROW, _HEAD = 100, 10, 118, 46
_WIDTH = _LEFT + PERIOD * _SCALE + 24

_NOTE = "Seconds since the owner's refresh spent the token. Any older token is reuse, at any time."


def grace_picture(trials: Sequence[GraceTrial], *, thief_after: int = THIEF_AFTER) -> Picture:
    """A strip for each trial: the window, the owner's retry, the thief, and what followed.

    Args:
        trials (Sequence[GraceTrial]): of `try_grace`.
        thief_after (int): seconds by which the thief came after the owner in them.
    """
    height = _HEAD + _ROW * len(trials)
    parts: list[Element] = [label(16, 24, _NOTE, "muted", anchor="start")]
    for number, trial in enumerate(trials):
        parts += _strip(trial, thief_after, _HEAD + number * _ROW)
    words = grace_table(list(trials))
    back = box(0, 0, _WIDTH, height, "back", radius=0)
    svg = drawing("Grace periods", f"{_NOTE}\n{words}", _WIDTH, height, [back, *parts])
    return Picture(svg, words)


def _strip(trial: GraceTrial, thief_after: int, y: float) -> list[Element]:
    end = _at(trial.grace)
    parts: list[Element] = [label(16, y + 44, f"grace {trial.grace} s", "strong", anchor="start")]
    spans: list[tuple[float, float, Role, str]] = [
        (_at(0), end, "ok", "the same successor again"),
        (end, _at(PERIOD), "bad", "reuse: the session ends"),
    ]
    for start, stop, role, words in spans:
        if stop > start:
            parts.append(box(start, y + 28, stop - start, 24, "box", role, radius=3))
            if stop - start > 7 * len(words) + 8:
                parts.append(label(stop - 8, y + 44, words, role, anchor="end"))
    for at, who in ((RETRY_AFTER, "retry"), (thief_after, "thief")):
        in_time = at < trial.grace
        role = "ok" if in_time else "bad"
        above = who == "retry"
        parts.append(line(_at(at), y + 22, _at(at), y + 58, role, "now"))
        words = f"{who} at {at} s"
        place = _at(at) + 4 * len(words)
        parts += badge(max(place, _at(0) + 4 * len(words)), y + (12 if above else 68), words, role)
    said = f"After a lost response {lost_words(trial)}; the thief {thief_words(trial)}."
    parts.append(label(_LEFT, y + 97, said, anchor="start"))
    return parts


def _at(seconds: float) -> float:
    return _LEFT + seconds * _SCALE
