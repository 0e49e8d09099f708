"""Write `notebooks/solutions/` from the lessons' `solutions.md`.

    python tools/solution_notebooks.py      # then `make notebooks` runs and saves them

An output is kept if the code of its cell has not changed.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
from jwt_course.solutions import Block, read_solutions

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "notebooks" / "solutions"


def lessons() -> dict[Path, str]:
    """Each solution notebook, and the package of its lesson: a lesson's two notebooks share a
    name."""
    packages = sorted((ROOT / "notebooks" / "jwt_course").glob("lesson_*/solutions.md"))
    found = {}
    for path in packages:
        number = path.parent.name.removeprefix("lesson_")
        (lesson,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
        found[FOLDER / lesson.name] = f"jwt_course.{path.parent.name}"
    return found


def cells(lesson: str) -> list[nbformat.NotebookNode]:
    """The cells of a lesson's solutions, not yet run."""
    return [_cell(number, block) for number, block in enumerate(read_solutions(lesson), 1)]


def _cell(number: int, block: Block) -> nbformat.NotebookNode:
    # A fixed id: a random one would make every run another file.
    identity = f"cell-{number}"
    if not block.is_code:
        return nbformat.v4.new_markdown_cell(block.text, id=identity)
    source = block.text
    if block.exercise:
        check = "assert_check_passed" if block.right else "assert_check_failed"
        source += f"\n\n\n{block.exercise}.{check}()"
    return nbformat.v4.new_code_cell(source, id=identity)


def write(path: Path, lesson: str) -> None:
    """Write one solution notebook."""
    old = nbformat.read(path, as_version=4).cells if path.exists() else []
    outputs = {cell.source: cell.outputs for cell in old if cell.cell_type == "code"}
    notebook = nbformat.v4.new_notebook()
    notebook.cells = cells(lesson)
    runs = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for count, cell in enumerate(runs, 1):
        cell.execution_count, cell.outputs = count, outputs.get(cell.source, [])
    notebook.metadata = {
        "kernelspec": {
            "display_name": "Python 3 (ipykernel)",
            "language": "python",
            "name": "python3",
        },
        "language_info": {"name": "python"},
    }
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for path, lesson in lessons().items():
        print(path.relative_to(ROOT))
        write(path, lesson)
