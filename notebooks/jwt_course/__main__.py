"""`python -m jwt_course`: a learner's copy of the lessons, and a report on a class's copies."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .copies import CopyError, start


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
    copy.add_argument("folder", metavar="DIR", nargs="?", default="my-course")
    copy.add_argument(
        "--reset",
        metavar="NN",
        action="append",
        default=[],
        help="a fresh copy of lesson NN, such as 04; the old one is kept next to it",
    )
    options = parser.parse_args(arguments)
    try:
        for sentence in start(options.folder, options.reset):
            print(sentence)
    except CopyError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
