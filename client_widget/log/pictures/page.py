"""A page of words, cards and steps: what a view shows, where there are no widgets.

page("The panel", [[Heading("Token store"), Card("Access token", "42 s left", 0.7)]])
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import svg

from ...display import cut
from .shapes import Role, box, drawing, label, line, width_of

_MARGIN, _GAP, _LINE = 16, 28, 18

#: Widths of one column, and of two next to each other, in pixels.
ONE, TWO = (720,), (470, 470)

# A word, or several that `shown` isolated: those stay in one line.
_WORD = re.compile("(?:\u2068[^\u2069]*\u2069|\\S)+")


class Block(Protocol):
    """A part of a page."""

    @property
    def words(self) -> str:
        """What it says; "" if another part says it."""

    def draw(self, x: float, y: float, width: float) -> tuple[list[svg.Element], float]:
        """Its elements from (x, y), and its height."""


@dataclass(frozen=True)
class Heading:
    """What the blocks below it are about."""

    words: str

    def draw(self, x: float, y: float, width: float) -> tuple[list[svg.Element], float]:
        return [
            label(x, y + 16, self.words, "strong", "muted", anchor="start"),
            line(x, y + 24, x + width, y + 24),
        ], 34


@dataclass(frozen=True)
class Words:
    """A text, in as many lines as it needs."""

    words: str
    role: Role = "plain"
    strong: bool = False

    def draw(self, x: float, y: float, width: float) -> tuple[list[svg.Element], float]:
        style = ["strong"] if self.strong else []
        lines = wrapped(self.words, width, strong=self.strong)
        return _lines(lines, x, y, self.role, *style), _LINE * len(lines) + 6


@dataclass(frozen=True)
class Card:
    """A token with what is left of it.

    Attributes:
        title (str): such as "Access token".
        left (str): such as "42 s left"; "" if nobody knows.
        share (float): how much of its life is left, 0 to 1.
        lines (Sequence[str]): what else is known.
    """

    title: str
    left: str
    share: float = 0.0
    lines: Sequence[str] = ()

    @property
    def words(self) -> str:
        return ": ".join(part for part in (self.title, self.left) if part)

    def draw(self, x: float, y: float, width: float) -> tuple[list[svg.Element], float]:
        role: Role = "bad" if self.share <= 0 else "warn" if self.share <= 0.2 else "ok"
        inside = width - 24
        height = 54 + _LINE * len(self.lines)
        parts: list[svg.Element] = [
            box(x, y, width, height, "box"),
            label(x + 12, y + 22, self.title, "strong", anchor="start"),
            label(x + width - 12, y + 22, self.left, role, anchor="end"),
            box(x + 12, y + 32, inside, 6, "box", radius=3),
        ]
        if self.share > 0:
            parts.append(box(x + 12, y + 32, inside * self.share, 6, "solid", role, radius=3))
        parts += _lines(self.lines, x + 12, y + 42, "muted")
        return parts, height + 12


@dataclass(frozen=True)
class Step:
    """A row of the log: who states it, and what."""

    source: str
    text: str
    role: Role = "plain"

    @property
    def words(self) -> str:
        return f"{self.source}: {self.text}"

    def draw(self, x: float, y: float, width: float) -> tuple[list[svg.Element], float]:
        who: Role = (
            "server" if self.source == "server" else "panel" if self.source == "panel" else "client"
        )
        aside = 76
        lines = wrapped(self.text, width - aside)
        name = label(x, y + 13, cut(self.source, 10), "strong", who, anchor="start")
        return [name, *_lines(lines, x + aside, y, self.role)], _LINE * len(lines) + 4


@dataclass(frozen=True)
class Inset:
    """Another picture, made smaller if it is too wide."""

    picture: str
    words: str = ""

    def draw(self, x: float, y: float, width: float) -> tuple[list[svg.Element], float]:
        _, _, its_width, its_height = map(
            float, self.picture.split('viewBox="')[1].split('"')[0].split()
        )
        scale = min(1.0, width / its_width)
        inside = self.picture.partition("</style>")[2].removesuffix("</svg>")
        moved = svg.G(
            transform=[svg.Translate(round(x), round(y)), svg.Scale(round(scale, 3))], text=inside
        )
        return [moved], its_height * scale + 8


def page(
    title: str,
    columns: Sequence[Sequence[Block]],
    *,
    widths: Sequence[float] = ONE,
) -> str:
    """The picture as SVG text; in words, it is what its blocks say.

    Args:
        title (str): what it shows.
        columns (Sequence[Sequence[Block]]): one for each of `widths`.
        widths (Sequence[float]): in pixels.
    """
    whole = sum(widths) + _GAP * (len(widths) - 1)
    elements: list[svg.Element] = []
    x, bottom = float(_MARGIN), float(_MARGIN)
    for blocks, width in zip(columns, widths, strict=True):
        drawn, y = _stack(blocks, x, _MARGIN, width)
        elements += drawn
        bottom = max(bottom, y)
        x += width + _GAP
    size = whole + 2 * _MARGIN, bottom + _MARGIN
    said = [block.words for column in columns for block in column]
    back = box(0, 0, *size, "back", radius=0)
    return drawing(title, "\n".join(filter(None, said)), *size, [back, *elements])


def wrapped(words: str, width: float, *, strong: bool = False) -> list[str]:
    """A text in lines of at most `width` pixels. A word that is too long is cut."""
    most = int(width / width_of("x", strong=strong))
    lines: list[str] = []
    for paragraph in words.splitlines():
        current = ""
        for word in _WORD.findall(paragraph):
            if width_of(word, strong=strong) > width:
                word = cut(word.replace("\u2068", "").replace("\u2069", ""), most)
            longer = f"{current} {word}" if current else word
            if current and width_of(longer, strong=strong) > width:
                lines.append(current)
                longer = word
            current = longer
        lines.append(current)
    return lines


def _stack(
    blocks: Iterable[Block], x: float, y: float, width: float
) -> tuple[list[svg.Element], float]:
    elements: list[svg.Element] = []
    for block in blocks:
        drawn, height = block.draw(x, y, width)
        elements += drawn
        y += height
    return elements, y


def _lines(lines: Iterable[str], x: float, y: float, *classes: str) -> list[svg.Element]:
    return [
        label(x, y + 13 + _LINE * number, words, *classes, anchor="start")
        for number, words in enumerate(lines)
    ]
