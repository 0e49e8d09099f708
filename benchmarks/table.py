"""What a part of the benchmark came to, and how it is written down."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: Above this a figure is written without decimals.
_WHOLE = 100


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        what (str): of what, with its unit if it is not a ratio.
        figure (float): the median of what was measured.
        spread (tuple[float, float] | None): the first and the third quartile.
        at_most, at_least (float | None): the budget.
    """

    what: str
    figure: float
    spread: tuple[float, float] | None = None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def budget(self) -> str:
        """The budget in words; "" if there is none."""
        if self.at_most is not None:
            return f"at most {self.at_most:,}"
        return "" if self.at_least is None else f"at least {self.at_least:,}"

    @property
    def verdict(self) -> str:
        """ "ok", "OVER" or "UNDER"; "" without a budget."""
        if self.at_most is not None:
            return "ok" if self.figure <= self.at_most else "OVER"
        if self.at_least is not None:
            return "ok" if self.figure >= self.at_least else "UNDER"
        return ""

    @property
    def missed(self) -> bool:
        """Does the figure break its budget?"""
        return self.verdict in ("OVER", "UNDER")

    def cells(self, recorded: Mapping[str, float]) -> list[str]:
        """The row of the table, with the figure of the last recorded run."""
        spread = "" if self.spread is None else " … ".join(map(number, self.spread))
        before = number(recorded[self.what]) if self.what in recorded else ""
        return [self.what, number(self.figure), spread, before, self.budget, self.verdict]


@dataclass(frozen=True)
class Grid:
    """A table beside the one of the ratios: absolute figures, or a series.

    Attributes:
        head (Sequence[str]): the columns.
        rows (Sequence[Sequence[str]]): as many cells each.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass
class Part:
    """What one part measured.

    Attributes:
        title (str), how (str): what was measured, and how.
        rows (list[Row]), grids (list[Grid]): the figures.
        left_out (list[str]): what could not be measured, and why, one sentence each.
        pictures (list[Path]): plots beside RESULTS.md.
    """

    title: str
    how: str
    rows: list[Row] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)


HEAD = ("what", "now", "middle half", "last recorded", "budget", "")


def number(figure: float) -> str:
    """A figure with as many digits as can be read: 1.043, 12.6, 2,465."""
    if abs(figure) >= _WHOLE:
        return f"{figure:,.0f}"
    return f"{figure:.1f}" if abs(figure) >= 10 else f"{figure:.3f}"


def measured(what: str, samples: Sequence[float], **budget: float) -> Row:
    """A row with the median of its samples, and their quartiles."""
    first, median, third = quartiles(samples)
    return Row(what, median, (first, third), **budget)


def ratio(what: str, over: Sequence[float], under: Sequence[float], **budget: float) -> Row:
    """A row of the ratios, round by round: the two took turns, so a slow minute slowed both."""
    return measured(what, [a / b for a, b in zip(over, under, strict=True)], **budget)


def quartiles(samples: Sequence[float]) -> tuple[float, float, float]:
    """The first quartile, the median and the third quartile."""
    if len(samples) == 1:
        return samples[0], samples[0], samples[0]
    first, median, third = statistics.quantiles(samples, n=4, method="inclusive")
    return first, median, third


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown, its figures set to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def section(part: Part, recorded: Mapping[str, float]) -> str:
    """A part as RESULTS.md has it."""
    pieces = [f"## {part.title}", part.how]
    if part.rows:
        pieces.append(markdown(HEAD, (row.cells(recorded) for row in part.rows)))
    pieces += [markdown(grid.head, grid.rows) for grid in part.grids]
    pieces += [f"Left out: {reason}" for reason in part.left_out]
    pieces += [f"![{part.title}, as a plot]({path.name})" for path in part.pictures]
    return "\n\n".join(pieces)
