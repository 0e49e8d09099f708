"""Every lesson in a browser tab, against the saved notebooks: `make lite-lessons`.

    python tools/lessons_in_a_tab.py [NUMBER …]     # all lessons, or some, such as 05 12

Each lesson's code cells run in the site of `make lite`, in Chromium with the network cut, and then
the answers of its solutions. What a cell shows must be what the saved notebook shows, to the
character: text, tables and pictures. `DIFFERENT` names the cells that may differ.

It takes some ten minutes, so `make test` does not run it.
"""

from __future__ import annotations

import sys
import time
from difflib import unified_diff
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, too

from tests.browser.chromium import find_browser  # noqa: E402
from tests.browser.lab import new_browser  # noqa: E402
from tests.browser.tab import Lesson, alone, served  # noqa: E402

NOTEBOOKS = ROOT / "notebooks"

_NOT_INSTALLED = "is not installed, so it is left out"

#: By notebook and cell, what a browser tab shows in place of it.
DIFFERENT = {
    ("05_stampede", "cell-21"): _NOT_INSTALLED,
    ("05_stampede", "cell-29"): _NOT_INSTALLED,
    ("11_keys", "cell-03"): "This lesson needs the installed lab",
}

#: Lessons that end with their first cell.
ENDS_AT_ONCE = {"11_keys"}

# A widget itself, and a picture whose bytes depend on the fonts of a machine.
_NOT_COMPARED = {"application/vnd.jupyter.widget-view+json", "image/png"}


def shown(outputs: list[dict[str, Any]]) -> str:
    """What a cell shows, in one text."""
    parts = []
    for output in outputs:
        if output["output_type"] == "error":
            parts.append(
                f"{output['ename']}: {output['evalue']}\n" + "\n".join(output["traceback"])
            )
        else:
            data = output.get("data", {"text": output.get("text")})
            parts += [
                (f"[{kind}]\n" if "data" in output else "") + "".join(data[kind])
                for kind in sorted(data)
                if kind not in _NOT_COMPARED
            ]
    return "".join(parts)


def main(numbers: list[str]) -> int:
    """Run the lessons; returns how many cells show something wrong."""
    paths = sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
    wrong = 0
    with served() as site, new_browser(find_browser()) as browser:
        for path in paths:
            if not numbers or path.name[:2] in numbers:
                with alone(browser, site) as page:
                    wrong += run(path, page, site)
    return wrong


def run(path: Path, page: Page, site: str) -> int:
    """Run a lesson and its solutions; returns how many cells show something wrong."""
    began = time.monotonic()
    lesson = Lesson(page, site, path.stem)
    cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    solutions = NOTEBOOKS / "solutions" / path.name
    wrong = 0
    for number, cell in enumerate(cells):
        lesson_cell = (path.stem, cell.id)
        wrong += differs(lesson_cell, cell.outputs, lesson.run(cell.id))
        if not number:
            print(f"{path.stem}: first cell after {time.monotonic() - began:.0f} s", flush=True)
            if path.stem in ENDS_AT_ONCE:
                return wrong
    if solutions.exists():
        for cell in nbformat.read(solutions, 4).cells:
            if cell.cell_type == "code":
                [added] = lesson.add(cell.source)
                outputs = lesson.run(added)
                wrong += differs((f"solutions/{path.stem}", cell.id), cell.outputs, outputs)
    print(f"{path.stem}: {wrong} wrong, after {time.monotonic() - began:.0f} s", flush=True)
    return wrong


def differs(cell: tuple[str, str], saved: list[dict[str, Any]], here: list[dict[str, Any]]) -> bool:
    """Whether a cell shows something wrong; then it is printed."""
    old, new = shown(saved), shown(here)
    wrong = DIFFERENT[cell] not in new if cell in DIFFERENT else old != new
    if wrong:
        print(
            "".join(unified_diff(old.splitlines(True), new.splitlines(True), *["/".join(cell)] * 2))
        )
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) != 0)
