"""Plots beside RESULTS.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from .table import Part

HERE = Path(__file__).parent


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
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
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
