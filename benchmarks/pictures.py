"""`make pictures`: the pictures of the panel and README's animation, taken from the real one."""

from __future__ import annotations

import io
import sys

from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.chromium import find_browser
from tests.browser.lab import ROOT, Notebook
from tests.browser.panel import ordered

from .desk import PASSWORD, log_in, written_notebook

IMAGES = ROOT / "notebooks" / "images"

#: How long each frame of the animation stands, in milliseconds; the last stands longer.
FRAME, LAST_FRAME = 1200, 3000

#: What the log says of an expiry, a refresh and a retry.
REFRESH = ordered("403 Forbidden for GET /home", "200 OK for POST /refresh", "200 OK for GET /home")


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    try:
        browser_path = find_browser()
    except LookupError as error:
        sys.exit(str(error))
    # The window is so high that the whole panel fits, whatever tab is open.
    with written_notebook(browser_path, height=2000) as notebook:
        notebook.execute("application:toggle-left-area")  # the list of files
        notebook.open()
        take_refresh(notebook)
        take_tabs(notebook)
        take_dark(notebook)
        take_animation(notebook)
        take_tour(notebook)
    for path in sorted(IMAGES.iterdir()):
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1000:.0f} kB")


def take_refresh(notebook: Notebook) -> None:
    """The panel after expiry, refresh and retry, and the diagram of them."""
    log_in(notebook)
    visit_home(notebook)
    notebook.press("+61 s")
    visit_home(notebook)
    expect(notebook.log).to_contain_text(REFRESH)
    expect(notebook.page.get_by_role("img", name="The flow of Home")).to_contain_text("again")
    save(notebook.flow, "flow")
    open_tab(notebook, "Step by step")
    save(panel(notebook), "panel")


def take_tabs(notebook: Notebook) -> None:
    """Timeline, tokens, and a message that is held."""
    open_tab(notebook, "Timeline")
    expect(notebook.page.get_by_role("img", name="Timeline")).to_be_visible()
    save(tabs(notebook), "timeline")

    open_tab(notebook, "Tokens")
    notebook.press("Re-sign with a wrong secret")
    expect(notebook.page.locator(".lab-verdict.lab-bad")).to_be_visible()
    save(tabs(notebook), "tokens")

    open_tab(notebook, "Step by step")
    notebook.press("Hold messages", "Home")
    expect(waiting(notebook, "GET /home")).to_be_visible()
    save(tabs(notebook), "steps")
    notebook.press("Hold messages")
    expect(notebook.button("Home")).to_be_enabled()


def take_dark(notebook: Notebook) -> None:
    """The panel in the dark theme."""
    open_tab(notebook, "Step by step")
    change_theme(notebook, "JupyterLab Dark")
    save(panel(notebook), "dark")
    change_theme(notebook, "JupyterLab Light")


def take_animation(notebook: Notebook) -> None:
    """Expiry, refresh and retry, one message after the other."""
    notebook.press("Clear")
    notebook.fill("ada", PASSWORD)
    notebook.press("Log in")
    expect(notebook.log).to_contain_text("ada is logged in")
    frames = [shot(panel(notebook))]

    def frame() -> None:
        frames.append(shot(panel(notebook)))

    visit_home(notebook)
    frame()
    notebook.press("+61 s")
    expect(notebook.page.get_by_text("expired").first).to_be_visible()
    frame()
    notebook.press("Hold messages")
    frame()
    notebook.press("Home")
    for message in ("GET /home   (call)", "POST /refresh", "GET /home   (retry)"):
        expect(waiting(notebook, message)).to_be_visible()
        frame()
        notebook.press("Send it")
    expect(notebook.log).to_contain_text(REFRESH)
    expect(notebook.button("Home")).to_be_enabled()
    frame()
    notebook.press("Hold messages")
    frame()
    save_animation([opened(data) for data in frames])


def take_tour(notebook: Notebook) -> None:
    """A step of the tour, answered."""
    open_tab(notebook, "Tour")
    notebook.press("The server refuses. You have to log in.")
    expect(notebook.page.get_by_text("Your answer is right.")).to_be_visible()
    save(tabs(notebook), "tour", width=932)


def panel(notebook: Notebook) -> Locator:
    return notebook.page.locator(".lab-panel")


def tabs(notebook: Notebook) -> Locator:
    return panel(notebook).locator(".widget-tab")


def waiting(notebook: Notebook, message: str) -> Locator:
    return notebook.says("Waits to be sent").filter(has_text=message)


def open_tab(notebook: Notebook, title: str) -> None:
    notebook.page.get_by_role("tab", name=title, exact=True).click()


def visit_home(notebook: Notebook) -> None:
    notebook.press("Home")
    expect(notebook.says("The home page is loaded")).to_be_visible()
    expect(notebook.button("Home")).to_be_enabled()


def change_theme(notebook: Notebook, theme: str) -> None:
    notebook.execute("apputils:change-theme", theme=theme)
    notebook.page.wait_for_function(
        "light => document.body.dataset.jpThemeLight === light",
        arg=str(theme.endswith("Light")).lower(),
    )
    expect(notebook.page.locator("#jupyterlab-splash")).to_have_count(0)


def shot(target: Locator) -> bytes:
    """A picture as PNG, with no button under the mouse and none in focus."""
    without_focus(target.page)
    return target.screenshot(animations="disabled")


def without_focus(page: Page) -> None:
    """Take mouse and focus away, and wait until nothing moves."""
    page.mouse.move(0, 0)
    page.evaluate("() => document.activeElement?.blur()")
    page.wait_for_timeout(400)  # the colours of buttons and the bars of tokens move


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def save(target: Locator, name: str, *, width: int = 1400) -> None:
    """Keep a picture, with few colours, so that it is small.

    Args:
        target (Locator): what is on it.
        name (str): of the file.
        width (int): in pixels; what is right of it is empty and left out.
    """
    keep(shot(target), name, width=width)


def keep(data: bytes, name: str, *, width: int = 1400) -> None:
    """The same for a picture that is taken already, as PNG."""
    image = opened(data)
    image = image.crop((0, 0, min(width, image.width), image.height))
    # This method keeps colours that are rare, such as that of an error.
    image = image.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    image.save(IMAGES / f"{name}.png", optimize=True)


def save_animation(shots: list[Image.Image]) -> None:
    """Keep the frames as one file, all as high as the highest, under one palette."""
    height = max(image.height for image in shots)
    sheet = Image.new("RGB", (shots[0].width, height * len(shots)), "white")
    for index, image in enumerate(shots):
        sheet.paste(image, (0, index * height))
    sheet = sheet.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    first, *rest = [
        sheet.crop((0, index * height, sheet.width, (index + 1) * height))
        for index in range(len(shots))
    ]
    first.save(
        IMAGES / "refresh.gif",
        save_all=True,
        append_images=rest,
        duration=[FRAME] * len(rest) + [LAST_FRAME],
        loop=0,
        optimize=True,
    )


if __name__ == "__main__":
    main()
