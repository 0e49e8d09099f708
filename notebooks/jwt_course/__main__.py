"""`python -m jwt_course`: a learner's copy of the lessons, and a report on a class's copies."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from .copies import DEFAULT, CopyError, start
from .progress import COLUMNS, report


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        int: the exit status: 0, or 2 if the command could not be carried out.
    """
    parser = argparse.ArgumentParser(prog="python -m jwt_course", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    copy = commands.add_parser(
        "start",
        help="copy the lessons into your own folder, without outputs",
        description=(
            "Copy the lessons into your own folder, without outputs. Your work there is never "
            "overwritten. After an upgrade of the lab, this says which lessons have changed."
        ),
    )
    copy.add_argument("folder", metavar="DIR", nargs="?", default=DEFAULT)
    copy.add_argument(
        "--reset",
        metavar="NN",
        action="append",
        default=[],
        help="a fresh copy of lesson NN, such as 04; the old one is kept next to it",
    )
    table = commands.add_parser(
        "report",
        help="print the progress in a folder of copies as CSV",
        description=(
            "Print the progress of each learner as CSV, with a row for each exercise. Its columns: "
            f"{', '.join(COLUMNS)}. The progress is in a file on the learner's disk, which they "
            "can edit: it proves nothing, so do not give marks for it."
        ),
    )
    table.add_argument(
        "folders", metavar="DIR", nargs="+", type=Path, help="a copy, or a folder of copies"
    )
    options = parser.parse_args(arguments)
    if options.command == "report":
        # Names may have any letters, whatever the console's encoding is.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        report(options.folders, sys.stdout, sys.stderr)
        return 0
    try:
        for sentence in start(options.folder, options.reset):
            print(sentence)
    except CopyError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
