"""Plots beside RESULTS.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .table import Part

HERE = Path(__file__).parent
BUDGETS = HERE / "budgets.png"


def plot(
    part: Part,
    name: str,
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    across: str,
    up: str,
) -> None:
    """Draw lines on logarithmic axes, save them as PNG, and give the part its picture.

    Without matplotlib it is left out, and the part says so.

    Args:
        part (Part): is given the picture.
        name (str): of the file.
        series: x and y, by the line's name.
        across, up (str): what the axes say.
    """
    pyplot = _pyplot()
    if pyplot is None:
        part.left_out.append("the plot, which needs matplotlib (extra `bench`).")
        return
    figure, axes = pyplot.subplots(figsize=(6.4, 3.4), layout="constrained")
    for label, (x, y) in series.items():
        axes.plot(x, y, marker="o", markersize=3, linewidth=1.2, label=label)
    axes.set(xscale="log", yscale="log", xlabel=across, ylabel=up)
    axes.grid(color="0.9")
    axes.legend(fontsize=8, frameon=False)
    path = HERE / f"{name}.png"
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)
    part.pictures.append(path)


def plot_budgets(parts: Sequence[Part]) -> None:
    """Draw each figure over its budget, with the middle half of its rounds. Left of 1 it is kept.

    Without matplotlib the old picture stays.
    """
    rows = [row for part in parts for row in part.rows if row.budget and row.figure]
    pyplot = _pyplot()
    if pyplot is None or not rows:
        return
    figure, axes = pyplot.subplots(figsize=(8, 0.8 + 0.24 * len(rows)), layout="constrained")
    for at, row in enumerate(reversed(rows)):
        values = (row.figure, *(row.spread or ()))
        # What must be at least its budget is turned over, so that left of 1 is always kept.
        if row.at_most is not None:
            middle, *half = [value / row.at_most for value in values]
        else:
            middle, *half = [(row.at_least or 0) / value for value in values]
        colour = "tab:red" if row.missed else "tab:green"
        axes.plot(half, [at] * len(half), color=colour, linewidth=3, alpha=0.4)
        axes.plot(middle, at, marker="o", markersize=4, color=colour)
    axes.axvline(1, color="0.3", linewidth=0.8)
    axes.set(xscale="log", xlabel="over its budget (kept: left of the line)")
    axes.set_yticks(range(len(rows)), [row.what for row in reversed(rows)], fontsize=7)
    axes.grid(axis="x", color="0.9")
    figure.savefig(BUDGETS, dpi=110, metadata={"Software": None})
    pyplot.close(figure)


def _pyplot() -> Any:
    """matplotlib's pyplot, drawing to files; None if it is not installed."""
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        return None
    return pyplot
