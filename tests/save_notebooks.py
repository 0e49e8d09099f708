"""Run the notebooks and save them with their outputs: `make notebooks`.

What is saved holds nothing that differs from run to run: no timing, no widget state, and in
place of a widget the line of text that stands for it until the cell is run.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
WIDGET = "application/vnd.jupyter.widget-view+json"


def run(path: Path) -> nbformat.NotebookNode:
    """The notebook after a run in a new kernel, as it is to be saved.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=60,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    notebook.metadata = {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
    return notebook


def notebooks() -> list[Path]:
    """Every notebook of the lab."""
    return sorted((ROOT / "notebooks").rglob("[!.]*.ipynb"))


if __name__ == "__main__":
    for path in notebooks():
        print(path.relative_to(ROOT))
        nbformat.write(run(path), path)
    sys.exit()
