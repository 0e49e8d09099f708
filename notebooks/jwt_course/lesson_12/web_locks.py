"""The source of the way that a browser takes."""

from pathlib import Path


def source() -> str:
    """`refreshUnderLock` in JavaScript, as the tests run it in a browser."""
    return Path(__file__).with_name("web_locks.js").read_text(encoding="utf-8").rstrip()
