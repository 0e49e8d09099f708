"""The browser, JupyterLab, and a notebook in it for each file of tests.

The browser and JupyterLab are of package scope: each is started once. They are not of
session scope, since Playwright keeps an event loop in the main thread, which must be gone
when the tests of other folders run notebooks there.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Error, Page

from .chromium import find_browser
from .lab import (
    Lab,
    Notebook,
    new_browser,
    new_page,
    open_lab,
    running_lab,
    shut_kernels_down,
    wiring,
)


@pytest.fixture(scope="package")
def browser_path() -> str:
    try:
        return find_browser()
    except LookupError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="package")
def browser(browser_path: str) -> Iterator[Browser]:
    with new_browser(browser_path) as browser:
        yield browser


@pytest.fixture(scope="package")
def lab_page(browser: Browser, lab: Lab) -> Page:
    """The browser's window. To load JupyterLab takes longer than most tests."""
    page = new_page(browser)
    open_lab(page, lab)
    return page


@pytest.fixture
def page(lab_page: Page) -> Iterator[Page]:
    """The window, which must open no dialog and report no error on its console."""
    with no_trouble(lab_page):
        yield lab_page


@pytest.fixture
def fresh_page(browser: Browser) -> Iterator[Page]:
    """A new window, empty, under the same rules."""
    page = new_page(browser)
    with no_trouble(page):
        yield page
    page.close()


@contextmanager
def no_trouble(page: Page) -> Iterator[None]:
    """Fails the test if the page opened a dialog or reported an error in the block."""
    troubles: list[str] = []

    def on_dialog(dialog: Dialog) -> None:
        troubles.append(f"dialog: {dialog.message}")
        dialog.accept()

    def on_error(error: Error) -> None:
        # JupyterLab's own scripts fail now and then when the theme changes; a widget's module
        # is loaded from a blob. On a busy machine anywidget says that a module took more than two
        # seconds, and shows the widget when it has come. A module's own error is on the console.
        stack = error.stack or ""
        late = error.message == "[anywidget] Failed to initialize model."
        if not late and ("blob:" in stack or "/static/lab/" not in stack):
            troubles.append(f"error: {error}")

    def on_console(message: ConsoleMessage) -> None:
        # JupyterLab's debugger may still ask a kernel that has just ended.
        debugger = message.text.startswith("Could not restore the debugger state")
        if message.type == "error" and not debugger:
            troubles.append(f"console: {message.text} {message.location['url']}")

    page.on("dialog", on_dialog)
    page.on("pageerror", on_error)
    page.on("console", on_console)
    yield
    page.remove_listener("dialog", on_dialog)
    page.remove_listener("pageerror", on_error)
    page.remove_listener("console", on_console)
    assert troubles == []


@contextmanager
def open_wiring(lab: Lab, page: Page, name: str) -> Iterator[Notebook]:
    """A new notebook of one cell, the wiring of README; it has been run."""
    notebook = Notebook(page, lab, name)
    notebook.write(wiring())
    try:
        notebook.open()
        yield notebook
    finally:
        notebook.close()
        shut_kernels_down(lab)


@pytest.fixture(scope="module")
def opened(lab: Lab, lab_page: Page, request: pytest.FixtureRequest) -> Iterator[Notebook]:
    """The notebook of a file of tests."""
    with open_wiring(lab, lab_page, f"{request.path.stem}.ipynb") as notebook:
        yield notebook


@pytest.fixture
def notebook(opened: Notebook, page: Page, tmp_path: Path) -> Notebook:
    """The file's notebook, in which the wiring has been run again: all that it makes is new.

    `tmp_path` is where a picture goes if the test fails.
    """
    opened.begin_again()
    return opened


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep a picture of the page on which a test failed, and tell where it is."""
    report = yield
    given = getattr(item, "funcargs", {})
    if report.failed and report.when != "teardown" and {"page", "tmp_path"} <= given.keys():
        picture = given["tmp_path"] / "page.png"
        given["page"].screenshot(path=picture)
        report.sections.append(("Picture of the page", str(picture)))
    return report
