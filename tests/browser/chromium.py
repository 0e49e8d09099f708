"""Find the browser that the tests drive: `python tests/browser/chromium.py` prints its path."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

NAMES = ("google-chrome", "google-chrome-stable", "chromium", "chromium-browser")


def find_browser() -> str:
    """The path of a Chrome or Chromium.

    It is `$BROWSER_PATH` if that is set, else the first of `NAMES` on the PATH, else the one
    that Playwright has downloaded.

    Raises:
        LookupError: there is none; the message is one line that says what to do.
    """
    given = os.environ.get("BROWSER_PATH")
    if given:
        path = shutil.which(given)
        if path is None:
            raise LookupError(f"BROWSER_PATH is {given!r}, and no program is there")
        return path
    for name in NAMES:
        path = shutil.which(name)
        if path is not None:
            return path
    own = _playwrights_own()
    if not Path(own).is_file():
        raise LookupError("There is no Chrome or Chromium: install one with `make browser`")
    return own


def _playwrights_own() -> str:
    """Where Playwright's download is, or would be."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


if __name__ == "__main__":
    try:
        print(find_browser())
    except LookupError as error:
        sys.exit(str(error))
