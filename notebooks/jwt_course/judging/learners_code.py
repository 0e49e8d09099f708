"""The learner's code among the frames of a call: where it failed, and where it waits.

A frame is the learner's if its code comes from none of this project's packages and from no
installed one. So it comes from a cell, or from a file of the learner's.
"""

from __future__ import annotations

import linecache
import os
import re
import sysconfig
import threading
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType

import client_widget
import demo_server
from client_widget.display import shown
from client_widget.log.masking import mask_text

from .frames import frame_of

#: Characters of an error's text or of a line to show: enough for any sentence.
_LONGEST = 200

_COURSE = Path(__file__).parents[1]
_FOLDERS = (
    *(Path(package.__file__ or "").parent for package in (client_widget, demo_server)),
    *(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    _COURSE,
)
_ELSEWHERE = ("<frozen", *(f"{folder}{os.sep}" for folder in _FOLDERS))

# What may be a key, a signature or a part of a token: long, and with a digit in it. The search
# begins once in each word, so a long word takes no longer than other text of its length.
_LONG = re.compile(r"(?<![\w+/=-])(?=[\w+/=-]*\d)[\w+/=-]{32,}", re.ASCII)
_BYTES = re.compile(r"""\bb(['"])(?:\\.|(?!\1).){16,}\1""")
_PART = re.compile(r"\beyJ[\w-]+", re.ASCII)


def is_learners(code: CodeType) -> bool:
    """Does the code come from a cell, or from a file of the learner's?"""
    name = code.co_filename
    # A generated method, such as a dataclass's, has no text.
    return not name.startswith(_ELSEWHERE) and bool(linecache.getline(name, code.co_firstlineno))


def told(error: BaseException, *secrets: str) -> str:
    """An error of the learner's code, such as "KeyError: 'exp', at line 3 of your cell: `…`".

    Args:
        error (BaseException): as it was caught.
        secrets (str): texts that must not be shown.
    """
    try:
        first = (str(error).strip().splitlines() or [""])[0]
    except Exception:  # its `__str__` is the learner's too, and is broken
        first = ""
    kind = type(error)
    # Some modules call theirs only "Error".
    name = f"{kind.__module__}.Error" if kind.__name__ == "Error" else kind.__name__
    words = f"{name}: {first}" if first else name
    place = ""
    trace = error.__traceback__
    while trace is not None:
        place = _line(trace.tb_frame, trace.tb_lineno) or place
        trace = trace.tb_next
    sentence = f"{masked(words, *secrets)}{f', at {place}' if place else ''}"
    return sentence + _advice(error)


def _advice(error: BaseException) -> str:
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        return ". Which cell defines that name, and have you run it?"
    return ""


def masked(text: str, *secrets: str) -> str:
    """A text as it can be printed: shortened, without tokens, hashes, keys and these secrets."""
    for secret in secrets:
        text = text.replace(secret, "***")
    text = _BYTES.sub("b'***'", _LONG.sub("***", _PART.sub("***", mask_text(text))))
    return shown(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…", keep="\t")


def frame_in(thread: threading.Thread) -> FrameType | None:
    """The learner's innermost frame in a thread that is running now, or None."""
    return next(_frames(thread), None)


def place_in(thread: threading.Thread) -> str:
    """Where a running thread is in the learner's code: "line 3 of your cell: `…`", or ""."""
    frame = frame_in(thread)
    return "" if frame is None else place_of(frame)


def place_of(frame: FrameType) -> str:
    """Where a frame of the learner's code is, in the same words."""
    return _line(frame, frame.f_lineno)


def _frames(thread: threading.Thread) -> Iterator[FrameType]:
    frame = frame_of(thread)
    while frame is not None:
        if is_learners(frame.f_code):
            yield frame
        frame = frame.f_back


def _line(frame: FrameType, number: int | None) -> str:
    if not is_learners(frame.f_code):
        return ""
    text = linecache.getline(frame.f_code.co_filename, number or 0).strip()
    return f"line {number} of your cell: `{masked(text)}`"
