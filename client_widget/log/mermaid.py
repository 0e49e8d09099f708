"""A story as a Mermaid sequence diagram. JupyterLab and GitHub draw it; this is only its text.

The text may contain what a user typed. So every character that means something to Mermaid or HTML
is written as a Mermaid code.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..display import printable
from .event import LIMIT, Event
from .story import DATABASE, PANEL, SERVER, Numbers, Row, story_of

# Pale enough for black text on white and for light grey text on black.
_RED = "rgba(255, 70, 70, 0.22)"

# Characters other than letters and digits that Mermaid shows unchanged.
_PLAIN = frozenset(" .,/_-()'…–×✗")


def to_mermaid(
    events: Iterable[Event], *, number: Numbers | None = None, limit: int = LIMIT
) -> str:
    """The text of a sequence diagram.

    Args:
        events, number, limit: as in `story_of`.

    Raises:
        ValueError: the limit is below 1.
    """
    story = story_of(events, number=number, limit=limit)
    short = {PANEL: "P", SERVER: "S", DATABASE: "D"}
    lanes: dict[str, str] = {}
    for lane in story.lanes:
        lanes[lane] = short.get(lane) or f"C{len(lanes.keys() - short.keys()) + 1}"
    lines = [f"participant {lanes[lane]} as {escape(name)}" for lane, name in story.lanes.items()]
    for row in story.rows:
        line = _line(row, lanes)
        red = row.tone == "bad" and row.start != row.end
        lines += [f"rect {_RED}", f"    {line}", "end"] if red else [line]
    return "\n    ".join(["sequenceDiagram", *lines]) + "\n"


def _line(row: Row, lanes: dict[str, str]) -> str:
    texts = (row.title, row.badge, row.more)
    text = "<br/>".join(escape(text) for text in texts if text.strip()) or escape("")
    if not row.start:
        first, *rest = lanes.values()
        return f"Note over {','.join([first, *rest[-1:]])}: {text}"
    if row.start == row.end:
        return f"Note over {lanes[row.start]}: {text}"
    arrow = "--x" if row.lost else "-->>" if row.answer else "->>"
    return f"{lanes[row.start]}{arrow}{lanes[row.end]}: {text}"


def escape(text: str) -> str:
    """A text that Mermaid shows unchanged, written in codes such as `#59;`.

    Every character is encoded unless it is known to be harmless. A character that cannot be
    printed, such as one that reverses the writing direction, becomes `�`.
    """
    codes = (c if c.isalnum() or c in _PLAIN else f"#{ord(c)};" for c in printable(text))
    # An empty text is a syntax error.
    return "".join(codes) if text.strip() else "(empty)"
