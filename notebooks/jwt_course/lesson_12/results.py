"""The ways side by side, as a table and as a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from client_widget.log.pictures.shapes import Element, Role, badge, box, drawing, label

from ..outputs import Picture
from .tabs import Trial, Way, try_tabs
from .ways import WAYS, each_for_itself

_LEFT, _ROW, _HEAD, _WIDTH = 222, 44, 40, 720


def compare(ways: Iterable[Way] = WAYS, *, grace: int = 30) -> list[Trial]:
    """Each way on a server without a grace period, and the first one on a server with one."""
    return [*(try_tabs(way) for way in ways), try_tabs(each_for_itself, grace=grace)]


def table(trials: Sequence[Trial]) -> str:
    """The trials as lines of text."""
    lines = [f"{'way':16}  {'grace':>5}  {'refreshes':>9}  {'reuse':>5}  {'pages':>6}  session"]
    lines += [
        f"{t.way:16}  {t.grace:>3} s  {t.refreshes:>9}  {t.reuse:>5}  "
        f"{sum(t.pages):>1} of {len(t.pages)}  {'goes on' if t.alive else 'has ended'}"
        for t in trials
    ]
    return "\n".join(lines)


def tabs_picture(trials: Sequence[Trial]) -> Picture:
    """A row for each trial: its refreshes in order, the pages, and what became of the session.

    Args:
        trials (Sequence[Trial]): of `try_tabs`.
    """
    height = _HEAD + _ROW * len(trials) + 8
    heads = [(_LEFT, "tab 1"), (_LEFT + 178, "tab 2"), (_LEFT + 356, "session")]
    parts: list[Element] = [label(x, 24, words, "muted", anchor="start") for x, words in heads]
    for number, trial in enumerate(trials):
        parts += _row(trial, _HEAD + number * _ROW)
    words = table(trials)
    back = box(0, 0, _WIDTH, height, "back", radius=0)
    return Picture(drawing("Two tabs", words, _WIDTH, height, [back, *parts]), words)


def _row(trial: Trial, y: float) -> list[Element]:
    grace = f", grace {trial.grace} s" if trial.grace else ""
    parts: list[Element] = [label(16, y + 24, f"{trial.way}{grace}", "strong", anchor="start")]
    for number, came in enumerate(trial.pages):
        sent = f"tab {number + 1}" in {
            e.source
            for e in trial.log
            if e.name == "request.sent" and e.fields["path"] == "/refresh"
        }
        words = f"{'refreshes' if sent else 'adopts'}: {'its page' if came else 'no page'}"
        parts += _badge(_LEFT + 178 * number, y, words, "ok" if came else "bad")
    words = "goes on" if trial.alive else "has ended: reuse" if trial.reuse else "has ended"
    return parts + _badge(_LEFT + 356, y, words, "ok" if trial.alive else "bad")


def _badge(x: float, y: float, words: str, role: Role) -> list[Element]:
    return list(badge(x + 4 * len(words), y + 20, words, role))
