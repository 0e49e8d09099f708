"""A picture of each lesson at its most telling moment: a part of `make pictures`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Locator, expect

from tests.browser.chromium import find_browser
from tests.browser.lab import (
    EXECUTE,
    ROOT,
    Lab,
    Notebook,
    new_browser,
    new_page,
    open_lab,
    running_lab,
    shut_kernels_down,
)

from .pictures import IMAGES, keep, shot, without_focus

#: The window's size. A notebook in it is as wide as the page shows its pictures.
WIDTH, HEIGHT = 900, 1600

#: For a lesson the text in the first and in the last of the cells that are shown.
CELLS = {
    "02_inside_a_token": ("2. Decode it", "encoded, not encrypted"),
    "03_step_the_refresh": ("The answer to the call is 403.", '"accessToken": "access-2"'),
    "04_two_faults": ("Five times in a row the token expires", "client.store.get() is not None"),
    "06_rotation_and_theft": ("Both have looked, and both have", "race(TornDatabase(torn))"),
    "08_attacks": ("Which of the three servers", "target.show()"),
    "09_break_and_fix": ("The token expires for the second time", 'MUTANTS["flag"].watch()'),
}

# Cells get their height when they come into view, which moves the others: until all stand still.
SCROLL_TO_THE_TOP = """async (cell) => {
  const frame = () => new Promise(requestAnimationFrame);
  const top = () => cell.getBoundingClientRect().top;
  for (let before = null; before !== top(); ) {
    before = top();
    cell.scrollIntoView({ block: "start" });
    await frame();
    await frame();
  }
}"""


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    try:
        browser_path = find_browser()
    except LookupError as error:
        sys.exit(str(error))
    with (
        TemporaryDirectory() as folder,
        running_lab(Path(folder)) as lab,
        new_browser(browser_path) as browser,
    ):
        page = new_page(browser, height=HEIGHT)
        page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        open_lab(page, lab)
        page.evaluate(EXECUTE, ["application:toggle-left-area", {}])  # the list of files
        for name in sorted([*CELLS, *WIDGETS]):
            take_lesson(Notebook(page, lab, f"{name}.ipynb"), lab)


def take_lesson(notebook: Notebook, lab: Lab) -> None:
    """Run a lesson, and keep its picture."""
    take = WIDGETS.get(notebook.path.stem, take_cells)
    name = f"lesson_{notebook.path.name[:2]}"
    notebook.open()
    try:
        keep(take(notebook), name)
    finally:
        notebook.close()
        shut_kernels_down(lab)
    path = IMAGES / f"{name}.png"
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1000:.0f} kB")


def take_cells(notebook: Notebook) -> bytes:
    """The cells of `CELLS`, from the first to the last."""
    begin, end = CELLS[notebook.path.stem]
    first, last = cell(notebook, begin), cell(notebook, end)
    without_focus(notebook.page)
    first.evaluate(SCROLL_TO_THE_TOP)
    top, bottom = first.bounding_box(), last.bounding_box()
    assert top is not None
    assert bottom is not None
    y = top["y"] + 1  # a line ends the toolbar above
    height = bottom["y"] + bottom["height"] - y
    return notebook.page.screenshot(
        clip={"x": top["x"], "y": y, "width": top["width"], "height": height},
        animations="disabled",
    )


def take_stampede(notebook: Notebook) -> bytes:
    """The view of lesson 05 after a stampede on a server with rotation."""
    notebook.page.get_by_label("rotation", exact=True).check()
    notebook.press("Run")
    expect(notebook.says("Done.")).to_be_visible()
    return shot(cell(notebook, "StampedeView()").locator(".jp-OutputArea-output"))


def take_output(text: str) -> Callable[[Notebook], bytes]:
    """The first output of the cell that has this text in it."""

    def take(notebook: Notebook) -> bytes:
        output = cell(notebook, text).locator(".jp-OutputArea-output").first
        output.evaluate(SCROLL_TO_THE_TOP)
        return shot(output)

    return take


#: Lessons that show a part of one cell.
WIDGETS: dict[str, Callable[[Notebook], bytes]] = {
    "05_stampede": take_stampede,
    "07_from_403_to_401": take_output("side_by_side(answers)"),
    "11_keys": take_output("rotation_picture("),
    "12_two_tabs": take_output("tabs_picture(trials)"),
}


def cell(notebook: Notebook, text: str) -> Locator:
    """The first cell that has this text in it."""
    return notebook.page.locator(".jp-Cell", has_text=text).first


if __name__ == "__main__":
    main()
