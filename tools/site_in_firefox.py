"""What is published, in Firefox with the network cut: `make firefox`.

    python tools/site_in_firefox.py FOLDER [PICTURE]     # FOLDER is that of `make site`

- Each page of the docs opens, with all its pictures, and its scripts report no error.
- Lesson 01 runs in the tab: register, log in, Home, +61 s, Home, then every cell. A reload keeps
  what was changed.

`make test` drives Chromium. This is a command of its own because not every machine has Firefox; the
workflow `pages` runs it before it publishes. PICTURE is where to save what the panel looks like in
lesson 01, or what the window shows when something fails.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, too

from tests.browser.tab import Lesson, files_of  # noqa: E402
from tools.firefox import Firefox, firefox  # noqa: E402

# Those that are there but could not be shown.
_MISSING = """() => [...document.images]
  .filter((image) => image.complete && !image.naturalWidth)
  .map((image) => image.src)"""

_LOG_SAYS = """(texts) => {
  let said = document.querySelector("[role=log]").textContent;
  return texts.every((text) => {
    const at = said.indexOf(text);
    said = said.slice(at + text.length);
    return at >= 0;
  });
}"""

_IS_READY = """(name) => [...document.querySelectorAll(".lab-panel button")]
  .some((button) => button.textContent.trim() === name && !button.disabled)"""

_PASSWORD = "a pass phrase of the tab"


def main(folder: Path, picture: Path | None = None) -> None:
    """Look at everything; raises at the first thing that is wrong."""
    with files_of(folder) as site, firefox() as window:
        try:
            docs(folder, site, window)
            lesson_01(site, window, picture)
        except BaseException:
            if picture is not None:
                window.picture(picture)
            raise


def docs(folder: Path, site: str, window: Firefox) -> None:
    """Every page of the docs opens, with its pictures and without an error."""
    began = time.monotonic()
    pages = [
        page.relative_to(folder).as_posix()
        for page in sorted(folder.rglob("*.html"))
        if page.relative_to(folder).parts[0] != "lite"
    ]
    assert pages, f"{folder} has no pages"
    for page in pages:
        window.goto(f"{site}/{page}")
        assert window.evaluate("() => document.title"), page
        missing = window.evaluate(_MISSING)
        assert not missing, f"{page} shows no {missing}"
    errors = window.errors(site)
    assert not errors, "\n".join(errors)
    print(f"{len(pages)} pages, after {time.monotonic() - began:.0f} s", flush=True)


def lesson_01(site: str, window: Firefox, picture: Path | None) -> None:
    """The story on the panel, then every cell; then a reload."""
    began = time.monotonic()
    lesson = Lesson(window, f"{site}/lite", "01_walkthrough")
    lesson.run("cell-02")
    print(f"lesson 01: the panel, after {time.monotonic() - began:.0f} s", flush=True)
    fill_in(window)
    press(window, "Register")
    window.wait_for_function(_LOG_SAYS, arg=["201 Created for POST /users/register"])
    fill_in(window)
    press(window, "Log in", "Home", "+61 s", "Home")
    window.wait_for_function(
        _LOG_SAYS,
        arg=[
            "the clock moved by 61 s",
            "403 Forbidden for GET /home",
            "200 OK for POST /refresh",
            "200 OK for GET /home",
        ],
    )
    if picture is not None:
        window.picture(picture)
    lesson.run_all()
    lesson.write("cell-02", "# mine")
    lesson.save()
    lesson.load()
    assert lesson.source("cell-02") == "# mine"
    print(f"lesson 01: all of it, after {time.monotonic() - began:.0f} s", flush=True)


def fill_in(window: Firefox) -> None:
    """Type a name and a password on the panel."""
    for label, text in (("Username", "ada"), ("Password", _PASSWORD)):
        window.type(f"//label[.='{label}']/following::input[1]", text)


def press(window: Firefox, *names: str) -> None:
    """Click buttons of the panel; each is waited for until it is enabled."""
    for name in names:
        window.wait_for_function(_IS_READY, arg=name)
        window.click(f"//*[contains(@class, 'lab-panel')]//button[normalize-space()='{name}']")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), *map(Path, sys.argv[2:3]))
