"""What is published, in Firefox with the network cut: `make firefox`.

    python tools/site_in_firefox.py FOLDER [PICTURE]     # FOLDER is that of `make site`

- Each page of the docs opens, with all its pictures, and its scripts report no error.
- Lesson 01 runs in the tab: register, log in, Home, +61 s, Home, then every cell. A reload keeps
  what was changed.
- The forged form of lesson 10: Firefox keeps and sends the cookies that the notebook's model of a
  browser does, with each protection.

`make test` drives Chromium. It is a separate command because not every machine has Firefox; the
workflow `pages` runs it before it publishes. PICTURE is where to save what the panel looks like in
lesson 01, or what the window shows when something fails.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, too

from jwt_course.lesson_10 import TokenLab  # noqa: E402

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

_NOTICE_IS = """(text) => document.querySelector("#notice").textContent === text"""

_PASSWORD = "a pass phrase of the tab"


def main(folder: Path, picture: Path | None = None) -> None:
    """Look at everything; raises at the first thing that is wrong."""
    with files_of(folder) as site, firefox() as window:
        try:
            docs(folder, site, window)
            lesson_01(site, window, picture)
            lesson_10(window)
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


def lesson_10(window: Firefox) -> None:
    """ada is logged in with cookies, and presses the button on mallory's page."""
    for protection in ("careless", "samesite", "csrf_token", "both"):
        model = TokenLab(protection)
        model.open_board("cookie").log_in("ada", model.password)
        model.visit_prize()
        expected = model.note, model.said()
        lab = TokenLab(protection)
        window.forget_cookies()
        window.goto(lab.victim.board_url)
        window.click("//option[.='cookie']")
        window.type("//input[@id='username']", "ada")
        window.type("//input[@id='password']", lab.password)
        window.click("//button[.='Log in']")
        window.wait_for_function(_NOTICE_IS, arg="ada is logged in.")
        kept = {each["name"]: each for each in window.cookies()}
        csrf = {"__Host-csrf"} if protection in ("csrf_token", "both") else set()
        assert kept.keys() == {"__Host-access", "__Secure-refresh"} | csrf, kept.keys()
        assert kept["__Secure-refresh"]["path"] == "/cookie/refresh"
        assert {name for name in kept if not kept[name]["httpOnly"]} == csrf
        window.goto(lab.attacker.prize_url)
        window.click("//button")
        assert (lab.note, lab.said()) == expected, protection
        print(f"lesson 10, {protection}: {lab.note or 'no forged note'}", flush=True)
        lab.stop()


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
