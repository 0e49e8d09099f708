"""A table: a row for each thing, a column for each fact about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import svg

from .shapes import Role, badge, box, drawing, label, line, width_of

_MARGIN, _GAP, _HEAD, _ROW, _MORE = 16, 28, 34, 30, 17


@dataclass(frozen=True)
class Cell:
    """A fact.

    Attributes:
        words (str): the fact.
        role (Role): its colour; in a badge unless it is "plain" or "muted".
        more (Sequence[str]): lines below it.
    """

    words: str
    role: Role = "plain"
    more: Sequence[str] = ()

    @property
    def in_badge(self) -> bool:
        return self.role not in ("plain", "muted") and bool(self.words)

    @property
    def width(self) -> float:
        own = width_of(self.words, strong=self.in_badge) + 22 * self.in_badge
        return max(own, *map(width_of, ("", *self.more)))

    @property
    def height(self) -> float:
        return _ROW + (self._gap + _MORE * len(self.more) if self.more else 0)

    @property
    def _gap(self) -> float:
        """Between a badge and the lines below it."""
        return 6 * self.in_badge

    @property
    def told(self) -> str:
        return ", ".join([self.words, *self.more])

    def draw(self, x: float, y: float) -> list[svg.Element]:
        """Its elements in the row that begins at `y`."""
        if self.in_badge:
            half = width_of(self.words, strong=True) / 2 + 10
            parts = badge(x + half, y + 15, self.words, self.role)
        else:
            parts = [label(x, y + 19, self.words, self.role, anchor="start")]
        return parts + [
            label(x, y + 37 + self._gap + number * _MORE, words, "muted", anchor="start")
            for number, words in enumerate(self.more)
        ]


def table(
    title: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]], *, note: str = ""
) -> str:
    """The picture as SVG text; in words, it is a line for each row.

    Args:
        title (str): what it shows.
        heads (Sequence[str]): over the columns.
        rows (Iterable[Sequence[Cell]]): a cell for each head; the first names the row.
        note (str): below the rows, such as that there are none.
    """
    rows = list(rows)
    widths = [
        max(width_of(head, strong=True), *(row[column].width for row in rows), 0)
        for column, head in enumerate(heads)
    ]
    lefts = [_MARGIN + sum(widths[:n]) + _GAP * n for n in range(len(heads))]
    width = max(sum(widths) + _GAP * (len(heads) - 1), width_of(note)) + 2 * _MARGIN
    parts: list[svg.Element] = [
        label(x, 25, head, "strong", "muted", anchor="start")
        for x, head in zip(lefts, heads, strict=True)
    ]
    y = float(_HEAD)
    for row in rows:
        parts.append(line(_MARGIN, y, width - _MARGIN, y))
        for x, cell in zip(lefts, row, strict=True):
            parts += cell.draw(x, y)
        y += max(cell.height for cell in row)
    if note:
        parts.append(label(_MARGIN, y + 19, note, "muted", anchor="start"))
        y += _ROW
    back = box(0, 0, width, y + 10, "back", radius=0)
    return drawing(title, _in_words(heads, rows, note), width, y + 10, [back, *parts])


def _in_words(heads: Sequence[str], rows: Iterable[Sequence[Cell]], note: str) -> str:
    said = [
        f"{row[0].told}: "
        + "; ".join(
            f"{head}: {cell.told}"
            for head, cell in zip(heads[1:], row[1:], strict=True)
            if cell.told
        )
        for row in rows
    ]
    return "\n".join(filter(None, [*said, note]))
