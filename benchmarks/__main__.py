"""`make bench`: what the lab costs, as ratios measured in one run.

    python -m benchmarks [PART …] [--quick] [--record]

Without a part, all but `environment` run and `benchmarks/RESULTS.md` is written again, unless you
pass `--quick`, which takes about a minute and is for trying out. `--record` keeps the figures in
`last.json`, with which later runs are compared. Exits with 1 if a budget is missed.

Absolute figures differ from machine to machine and from minute to minute, so each figure is next
to what it is compared with, and the two take turns in short slices.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module

from .results import LAST, RESULTS, missed, record, recorded, write_results
from .table import Part, Row

PARTS = ("server", "client", "stampede", "events", "growth", "panel")

#: Installs everything again, so it runs only if it is asked for.
ON_REQUEST = ("environment",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and return the exit code: 1 if a budget is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure the lab, as ratios within one run."
    )
    parser.add_argument(
        "part",
        nargs="*",
        metavar="PART",
        choices=[[], *PARTS, *ON_REQUEST],
        help=", ".join((*PARTS, *ON_REQUEST)),
    )
    parser.add_argument("--quick", action="store_true", help="about a minute, writes no RESULTS.md")
    parser.add_argument("--record", action="store_true", help="keep the figures in last.json")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    parts, before = [], recorded()
    for name in options.part or PARTS:
        print(f"\n{name} …", flush=True)
        part: Part = import_module(f".parts.{name}", __package__).measure(options.quick)
        show(part, before)
        parts.append(part)
    print(f"\n{time.monotonic() - began:.0f} s")
    if not options.part and not options.quick:
        write_results(parts)
        print(f"Written: benchmarks/{RESULTS.name}")
    if options.record:
        record(parts)
        print(f"Written: benchmarks/{LAST.name}")
    over = missed(parts)
    for budget in over:
        print(f"MISSED: {budget}")
    return 1 if over else 0


def show(part: Part, before: Mapping[str, float]) -> None:
    """Print a part as lines of text."""
    for row in part.rows:
        print(line(row, before))
    for grid in part.grids:
        widths = [max(map(len, column)) for column in zip(grid.head, *grid.rows, strict=True)]
        for cells in (grid.head, *grid.rows):
            print("  " + "  ".join(c.rjust(w) for c, w in zip(cells, widths, strict=True)))
    for reason in part.left_out:
        print(f"  Left out: {reason}")


def line(row: Row, before: Mapping[str, float]) -> str:
    """A row as one line of text."""
    what, figure, spread, last, budget, verdict = row.cells(before)
    return f"{what:72} {figure:>9}  {spread:>18}  {last:>9}  {budget:>16}  {verdict}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
