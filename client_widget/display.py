"""How text from a user or a server is displayed: as plain text, HTML or SVG.

A word that is written from right to left moves the words around it, and an invisible character can
make one name look like another. So every such text goes through `shown`, `as_html` or `as_svg`:

- A character that cannot be printed becomes `�`.
- Right-to-left text is isolated from what is around it (Unicode Standard Annex 9): with U+2068 and
  U+2069 in plain text and SVG, with `<bdi>` in HTML. Left-to-right text needs no isolation and
  gets none, so what you copy has no invisible characters.

Sentences that a cell prints go through `in_short_lines`.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape
from textwrap import fill

#: How many characters a printed line has at most: it fits next to JupyterLab's list of files.
COLUMNS = 80

_ISOLATE, _END = "\u2068", "\u2069"

# What `shown` has isolated. A lone one of the two could end the isolation of others.
_ISOLATED = re.compile(f"({_ISOLATE}[^{_ISOLATE}{_END}]*{_END})")


def shown(text: object, *, keep: str = "") -> str:
    """A text as part of a sentence.

    Args:
        text (object): from a user or a server.
        keep (str): characters that stay although they cannot be printed, such as a tab.
    """
    clean = _printable(str(text), keep)
    return f"{_ISOLATE}{clean}{_END}" if _has_right_to_left(clean) else clean


def cut(text: object, length: int) -> str:
    """The same in one line of at most `length` characters."""
    line = " ".join(str(text).split())
    return shown(line if len(line) <= length else line[: length - 1] + "…")


def as_html(text: str) -> str:
    """A text as HTML, never as markup. Line breaks stay, and so does what `shown` isolated."""
    clean = printable(text)
    markup = escape(clean)
    return f"<bdi>{markup}</bdi>" if _has_right_to_left(clean) else markup


def as_svg(text: str) -> str:
    """A text as the content of an SVG element, never as markup. What `shown` isolated stays."""
    return escape(printable(text))


def printable(text: str) -> str:
    """A text of several parts, in which line breaks and what `shown` isolated stay."""
    if text.isprintable():  # then nothing in it was isolated
        return text
    parts = _ISOLATED.split(text)
    # Every second part was isolated.
    return "".join(
        f"{_ISOLATE}{_printable(part[1:-1], chr(10))}{_END}" if n % 2 else _printable(part, "\n")
        for n, part in enumerate(parts)
    )


def _printable(text: str, keep: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in keep else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def _has_right_to_left(text: str) -> bool:
    return not text.isascii() and any(
        unicodedata.bidirectional(char) in ("R", "AL", "AN") for char in text
    )


def in_short_lines(text: str) -> str:
    """The text with its long lines broken between words. What is indented stays so.

    JupyterLab breaks a line that is too long anywhere, also inside of a word.
    """
    return "\n".join(map(_in_short_lines, text.split("\n")))


def _in_short_lines(line: str) -> str:
    if len(line) <= COLUMNS:
        return line
    return fill(
        line,
        COLUMNS,
        subsequent_indent=line[: len(line) - len(line.lstrip())],
        break_long_words=False,
        break_on_hyphens=False,
    )
