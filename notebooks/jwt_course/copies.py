"""A learner's copy of the lessons: its own folder, without outputs, never overwritten.

    start("my-course")                  # copy, or bring an older copy up to date
    start("my-course", reset=["04"])    # one lesson again; the old file is kept next to it

The file `MANIFEST` makes a folder a copy. It holds the hash of each lesson as it was copied, so
`start` knows which lessons the learner has changed, and which the lab has changed since. It is
written first and after each lesson, so a copy that was interrupted is finished by the next `start`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

#: The folder of a copy, if the learner names no other.
DEFAULT = "my-course"

#: In each copy. Jupyter hides a file whose name begins with a dot.
MANIFEST = ".jwt-course.json"

#: What the lessons link to, next to them in a copy.
GLOSSARY = "glossary.md"

# What else a copy has, by its place in the copy and in the project.
_EXTRAS = {GLOSSARY: "docs/glossary.md", "images/expiry.svg": "notebooks/images/expiry.svg"}

_HERE = Path(__file__).parent
# In a wheel the lessons are in the package; in a checkout they are next to it.
_IN_WHEEL = _HERE / "lessons"


class CopyError(Exception):
    """A copy cannot be made. The message says why, and what to do."""


def lessons() -> dict[str, Path]:
    """The lessons that are installed, by number: "01" and so on."""
    folder = _IN_WHEEL if _IN_WHEEL.is_dir() else _HERE.parent
    return {path.name[:2]: path for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))}


# Links to pages of the project, which a copy does not have.
_OTHER_DOCS = re.compile(r"\[([^\]]+)\]\(\.\./docs/[^)]*\)")


def is_copy(folder: Path) -> bool:
    """Whether a folder is a learner's copy."""
    return (folder / MANIFEST).is_file()


def fresh(lesson: Path) -> bytes:
    """A lesson as a learner gets it: no outputs, and links that work in a copy."""
    notebook = json.loads(lesson.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        text = "".join(cell["source"]).replace(f"](../docs/{GLOSSARY}", f"]({GLOSSARY}")
        text = _OTHER_DOCS.sub(r"\1", text)
        cell["source"] = text.splitlines(keepends=True)
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def start(folder: str | Path, reset: Sequence[str] = ()) -> list[str]:
    """Make a copy in `folder`, or bring one up to date. Returns a sentence for each thing done.

    A lesson that the learner has changed is never written over. One that is still as it was copied
    is replaced when the lab's has changed.

    Args:
        folder: empty, missing, or a copy.
        reset: the numbers of the lessons to copy again, such as "04" or "4".

    Raises:
        CopyError: `folder` is a file, holds something else or cannot be written, or there is no
            lesson of that number.
    """
    folder = Path(folder)
    known = lessons()
    again = [number.zfill(2) for number in reset]
    for number in again:
        if number not in known:
            raise CopyError(f"There is no lesson {number}. The lessons are {', '.join(known)}.")
    try:
        return list(_start(folder, known, again))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CopyError(
            f"{folder} cannot be written ({reason}). Choose another folder: "
            "python -m jwt_course start DIR"
        ) from error


def _start(folder: Path, known: dict[str, Path], again: list[str]) -> Iterator[str]:
    if folder.exists() and not folder.is_dir():
        raise CopyError(f"{folder} is a file. Name a folder: python -m jwt_course start DIR")
    folder.mkdir(parents=True, exist_ok=True)
    if not is_copy(folder) and any(path.name[0] != "." for path in folder.iterdir()):
        raise CopyError(
            f"{folder} has files in it and is not a copy of the course. Name an empty folder, or "
            "one that does not exist yet: python -m jwt_course start DIR"
        )
    copied = _read(folder)
    _write_manifest(folder, copied)
    new = 0
    for number, path in known.items():
        target, content = folder / path.name, fresh(path)
        before, now = copied.get(path.name), _hash(content)
        if target.exists():
            mine = _hash(target.read_bytes())
            if number in again:
                kept = _keep(target)
                yield f"Lesson {number} is fresh again. Your old one is {kept.name}."
            elif mine == before != now:
                yield f"Lesson {number} has changed in the lab. You had not begun it: it is new."
            else:
                if mine == now:  # also one that an interrupted start did not note
                    copied[path.name] = now
                elif before is not None and before != now:
                    yield (
                        f"Lesson {number} has changed in the lab since you copied it. Yours is "
                        f'kept. For the new one: python -m jwt_course start "{folder}" '
                        f"--reset {number}"
                    )
                continue
        else:
            new += 1
        _replace(target, content)
        copied[path.name] = now
        _write_manifest(folder, copied)
    for place, origin in _EXTRAS.items():
        source = _IN_WHEEL / place if _IN_WHEEL.is_dir() else _HERE.parents[1] / origin
        (folder / place).parent.mkdir(exist_ok=True)
        _replace(folder / place, source.read_bytes())
    _write_manifest(folder, copied)
    if new:
        count = "1 new lesson" if new == 1 else f"{new} new lessons"
        yield f"{folder} has {count}. Your work in it is never overwritten."
    elif not again:
        yield f"{folder} has all lessons. Nothing of yours was changed."


def _read(folder: Path) -> dict[str, str]:
    """The hashes in the manifest; none if it cannot be read, and then every file counts as work."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["lessons"]
        return {str(name): str(digest) for name, digest in found.items()}
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write_manifest(folder: Path, copied: dict[str, str]) -> None:
    facts = {"version": version("jwt-refresh-lab"), "lessons": dict(sorted(copied.items()))}
    _replace(folder / MANIFEST, (json.dumps(facts, indent=1) + "\n").encode())


def _keep(target: Path) -> Path:
    """Copy a lesson to the first free name next to it: `04_two_faults.old-1.ipynb`."""
    number = 1
    while True:
        kept = target.with_name(f"{target.stem}.old-{number}{target.suffix}")
        try:
            with open(kept, "xb") as file:
                file.write(target.read_bytes())
            return kept
        except FileExistsError:
            number += 1


def _replace(target: Path, content: bytes) -> None:
    """Write a whole file or nothing, so that a reader never sees half of it."""
    if target.is_file() and target.read_bytes() == content:
        return
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
