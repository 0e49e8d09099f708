"""Walk through the whole course in a browser, as a learner does: `python -m tools.walk_course`.

It makes a learner's copy, opens JupyterLab and a browser on it, commits a guess to each question,
answers two exercises of each lesson wrong and then right, and reads the report. It prints what the
lessons said, and fails at the first thing that a learner would stumble over.

    python -m tools.walk_course            # every lesson: a few minutes
    python -m tools.walk_course 02 05      # these lessons
    python -m tools.walk_course --picture page.png    # what the page showed when it failed
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.browser.answers import ANSWERS
from tests.browser.chromium import find_browser
from tests.browser.lab import (
    Lab,
    Notebook,
    new_browser,
    new_page,
    open_lab,
    running_lab,
    shut_kernels_down,
)
from tests.browser.learner import Learner, Said

COURSE = [sys.executable, "-m", "jwt_course"]

#: The learner, which is the name of the copy's folder.
NAME = "ada"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lessons", nargs="*", help="numbers, such as 02; all of them by default")
    parser.add_argument("--picture", type=Path, help="where to save the page if a lesson fails")
    options = parser.parse_args(arguments)
    with (
        TemporaryDirectory() as folder,
        running_lab(Path(folder)) as lab,
        new_browser(find_browser()) as browser,
    ):
        copy = lab.folder / NAME
        subprocess.run([*COURSE, "start", copy], check=True)
        page = new_page(browser)
        open_lab(page, lab)
        taken: dict[str, list[Said]] = {}
        for path in sorted(copy.glob("*.ipynb")):
            if options.lessons and path.name[:2] not in options.lessons:
                continue
            try:
                taken[path.name[:2]] = take(Notebook(page, lab, f"{NAME}/{path.name}"), lab)
            except BaseException:
                if options.picture:
                    page.screenshot(path=options.picture)
                raise
        check_report(lab.folder, taken)


def take(notebook: Notebook, lab: Lab) -> list[Said]:
    """Work through one lesson."""
    print(f"\n{notebook.path.stem}")
    try:
        said = Learner(notebook).work_through(ANSWERS.get(notebook.path.stem, ()))
    finally:
        notebook.close()
        shut_kernels_down(lab)
    for name, words in said:
        print(f"{name:>4}  {words}")
    return said


def check_report(folder: Path, taken: dict[str, list[Said]]) -> None:
    """The CSV has a row for each guess and each exercise, with what was done."""
    command = [*COURSE, "report", folder]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    print(f"\n{printed}")
    rows = {(row["lesson"], row["exercise"]): row for row in csv.DictReader(printed.splitlines())}
    for lesson, said in taken.items():
        for name, words in said:
            row = rows[lesson, name]
            assert row["learner"] == NAME
            if name.startswith("q"):
                assert (row["result"], row["right"], row["wrong"]) == ("right", "1", "1")
            else:
                assert row["result"] == ("right" if ", and it was " in words else "wrong")


if __name__ == "__main__":
    main()
