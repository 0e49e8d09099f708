"""Run the notebooks and save them with their outputs: `make notebooks`.

What is saved contains nothing that differs from run to run: no timing and no widget state. In place
of a widget is its picture: as SVG, which nbval compares, as PNG for viewers that draw no SVG, and
in words.
"""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Generator
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from tools import flow_picture
from tools.png import size, to_png

ROOT = Path(__file__).parent.parent
WIDGET = "application/vnd.jupyter.widget-view+json"
SVG, PNG = "image/svg+xml", "image/png"


def run_cells(
    notebook: nbformat.NotebookNode, folder: Path
) -> Generator[nbformat.NotebookNode, None, None]:
    """Each cell after its run in a new kernel in `folder`, with its outputs as they are saved.

    Close the generator to end the kernel before the last cell.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    client = NotebookClient(
        notebook,
        timeout=60,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        shutdown_kernel="immediate",
        resources={"metadata": {"path": str(folder)}},
    )
    client.reset_execution_trackers()
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index, execution_count=client.code_cells_executed + 1)
            if cell.cell_type == "code":
                cell.outputs = _settled(cell.outputs)
            yield cell


def run(path: Path) -> nbformat.NotebookNode:
    """The notebook after a run in a new kernel, as it is to be saved.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in run_cells(notebook, path.parent):
        for output in cell.get("outputs", ()):
            _add_png(output)
    notebook.metadata = {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
    }
    return notebook


def _settled(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Without widgets, and with what was printed in one piece, however it came."""
    settled: list[nbformat.NotebookNode] = []
    for output in outputs:
        output.get("data", {}).pop(WIDGET, None)
        last = settled[-1] if settled else None
        if last is not None and output.output_type == "stream" == last.output_type:
            last.text += output.text
        else:
            settled.append(output)
    return settled


def _add_png(output: nbformat.NotebookNode) -> None:
    """Next to each SVG the same as PNG, displayed in the same size."""
    if picture := output.get("data", {}).get(SVG):
        output.data[PNG] = b64encode(to_png(picture)).decode() + "\n"
        output.metadata[PNG] = size(picture)


def notebooks() -> list[Path]:
    """Every notebook of the lab."""
    found = (ROOT / "notebooks").rglob("*.ipynb")
    return sorted(path for path in found if ".ipynb_checkpoints" not in path.parts)


if __name__ == "__main__":
    flow_picture.PATH.write_text(flow_picture.expiry() + "\n", encoding="utf-8")
    for path in notebooks():
        print(path.relative_to(ROOT))
        nbformat.write(run(path), path)
    sys.exit()
