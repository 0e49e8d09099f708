"""`python copy_notebooks.py PROJECT FOLDER`: give a learner the notebooks that they lack.

It runs under the learner's account. Under root's, a link in the learner's folder could lead a copy
anywhere.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def copy_missing(source: str, target: str) -> None:
    """Copy a file, but never over one of the learner's."""
    if not Path(target).exists():
        shutil.copyfile(source, target)


def main(project: Path, folder: Path) -> None:
    """Copy the notebooks, and what they link to."""
    shutil.copytree(
        project / "notebooks",
        folder / "notebooks",
        copy_function=copy_missing,
        # The course's package is installed; a copy in the folder would be taken instead.
        ignore=shutil.ignore_patterns("jwt_course", ".ipynb_checkpoints"),
        dirs_exist_ok=True,
    )
    (folder / "docs").mkdir(exist_ok=True)
    copy_missing(str(project / "docs/glossary.md"), str(folder / "docs/glossary.md"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
