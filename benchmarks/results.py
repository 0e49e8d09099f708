"""`benchmarks/RESULTS.md`: the figures of one run, and how to read them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .machine import machine, versions
from .table import HEAD, Part, markdown, number, section

RESULTS = Path(__file__).parent / "RESULTS.md"

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
- "time of X: A / B" is better when it is small, "answers of X: A / B" when it is large.
- Load and server share the machine, so answers a second are fewer than a server alone could give.

## The budgets"""


def write_results(parts: Sequence[Part]) -> None:
    """Write the file again."""
    RESULTS.write_text(text(parts, machine(), versions()))


def text(parts: Sequence[Part], machine: str, versions: str) -> str:
    """The text of the file."""
    budgets = [row for part in parts for row in part.rows if row.budget]
    missed = [f"{row.what} ({number(row.figure)}, {row.budget})" for row in budgets if row.missed]
    pieces = [
        "# What the lab costs",
        HOW_TO_READ.format(machine=machine, versions=versions),
        f"**Missed:** {'; '.join(missed)}." if missed else "All of them are met.",
        markdown(HEAD, (row.cells() for row in budgets)),
        *map(section, parts),
    ]
    return "\n\n".join(pieces) + "\n"
