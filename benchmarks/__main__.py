"""`make bench`: what the lab costs, as ratios measured in one run.

    python -m benchmarks [PART …] [--quick]

Without a part all of them run and `benchmarks/RESULTS.md` is written again, unless you pass
`--quick`, which takes about a minute and is for trying out. Absolute figures differ from machine to
machine and from minute to minute, so each figure is next to what it is compared with, and the two
take turns in short slices.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from importlib import import_module

from .results import RESULTS, write_results
from .table import Part, Row

PARTS = ("server", "client", "stampede", "events", "growth", "panel", "workers")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure the lab, as ratios within one run."
    )
    parser.add_argument(
        "part", nargs="*", metavar="PART", choices=[[], *PARTS], help=", ".join(PARTS)
    )
    parser.add_argument("--quick", action="store_true", help="about a minute, writes no file")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    parts = []
    for name in options.part or PARTS:
        print(f"\n{name} …", flush=True)
        part: Part = import_module(f".parts.{name}", __package__).measure(options.quick)
        show(part)
        parts.append(part)
    print(f"\n{time.monotonic() - began:.0f} s")
    if not options.part and not options.quick:
        write_results(parts)
        print(f"Written: benchmarks/{RESULTS.name}")


def show(part: Part) -> None:
    """Print a part as lines of text."""
    for row in part.rows:
        print(line(row))
    for grid in part.grids:
        widths = [max(map(len, column)) for column in zip(grid.head, *grid.rows, strict=True)]
        for cells in (grid.head, *grid.rows):
            print("  " + "  ".join(c.rjust(w) for c, w in zip(cells, widths, strict=True)))
    for reason in part.left_out:
        print(f"  Left out: {reason}")


def line(row: Row) -> str:
    """A row as one line of text."""
    what, figure, spread, budget, verdict = row.cells()
    return f"{what:72} {figure:>9}  {spread:>18}  {budget:>16}  {verdict}".rstrip()


if __name__ == "__main__":
    main()
