"""`benchmarks/RESULTS.md`: the figures of one run, and how to read them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from .machine import machine, versions
from .plots import BUDGETS, plot_budgets
from .table import HEAD, Part, markdown, number, section

RESULTS = Path(__file__).parent / "RESULTS.md"

#: The figures to compare with, by what they are of. `--record` writes them, at each release.
LAST = Path(__file__).parent / "last.json"

HOW_TO_READ = """\
`make bench` writes this file. All figures are from one run on one machine:

> {machine}

with {versions}.

## How to read it

- A figure is a **ratio** unless it names a unit. Absolute figures differ from machine to machine
  and from minute to minute; a ratio of two figures measured side by side differs less.
- The two figures of a ratio **take turns** in short slices, so a machine that slows down slows
  both. Each round has its ratio; the table has the **median** of the rounds.
- **Middle half** is from the first to the third quartile of the rounds: half of them were in it.
  If it is wide, or includes the budget, the machine was busy: measure again.
- **Last recorded** is the same figure in `last.json`, which `--record` writes at a release.
- "time of X: A / B" is better when it is small, "answers of X: A / B" when it is large.
- Load and server share the machine, so answers a second are fewer than a server alone could give.

## The budgets"""


def recorded() -> dict[str, float]:
    """The figures of the last recorded run, by what they are of; none before the first."""
    figures: dict[str, float] = json.loads(LAST.read_text()) if LAST.exists() else {}
    return figures


def record(parts: Sequence[Part]) -> None:
    """Keep the figures of these parts for the runs to come; those of other parts stay."""
    figures = {row.what: float(f"{row.figure:.4g}") for part in parts for row in part.rows}
    LAST.write_text(json.dumps({**recorded(), **figures}, ensure_ascii=False, indent=1) + "\n")


def write_results(parts: Sequence[Part]) -> None:
    """Write the file again."""
    plot_budgets(parts)
    RESULTS.write_text(text(parts, machine(), versions(), recorded()))


def missed(parts: Sequence[Part]) -> list[str]:
    """The budgets that are missed, each with its figure."""
    rows = (row for part in parts for row in part.rows)
    return [f"{row.what} ({number(row.figure)}, {row.budget})" for row in rows if row.missed]


def text(parts: Sequence[Part], machine: str, versions: str, recorded: Mapping[str, float]) -> str:
    """The text of the file."""
    budgets = [row for part in parts for row in part.rows if row.budget]
    over = missed(parts)
    pieces = [
        "# What the lab costs",
        HOW_TO_READ.format(machine=machine, versions=versions),
        f"**Missed:** {'; '.join(over)}." if over else "All of them are met.",
        markdown(HEAD, (row.cells(recorded) for row in budgets)),
        f"![Each budget and the middle half of its rounds]({BUDGETS.name})",
        *(section(part, recorded) for part in parts),
    ]
    return "\n\n".join(pieces) + "\n"
