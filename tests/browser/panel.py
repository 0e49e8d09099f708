"""The panel on a page, as a person finds it: by roles and accessible names."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from ..conftest import PASSWORD


def ordered(*texts: str) -> re.Pattern[str]:
    """Matches a text that has all these in it, in this order, whatever is between them."""
    return re.compile(".*".join(re.escape(text) for text in texts), re.DOTALL)


class Panel:
    """The one panel that a page shows."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.username = page.get_by_label("Username", exact=True)
        self.password = page.get_by_label("Password", exact=True)
        self.log = page.get_by_role("log")
        self.flow = page.get_by_role("group", name="Flow", exact=True)
        self.details = page.get_by_role("region", name="Details", exact=True)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def press(self, *names: str) -> None:
        """Click buttons; each is waited for until it is enabled."""
        for name in names:
            self.button(name).click()

    def open_tab(self, name: str) -> Locator:
        """Open a tab of the panel; gives what it shows."""
        self.page.get_by_role("tab", name=name, exact=True).click()
        return self.page.locator(".lab-panel .widget-tab-contents")

    def says(self, text: str) -> Locator:
        """What the panel tells its user, if it has this text in it."""
        return self.page.get_by_role("status").filter(has_text=text)

    def home(self, text: str) -> Locator:
        """The home page, if it has this text in it. The drawn flow has it, too."""
        return self.page.locator(".lab-home", has_text=text)

    def row(self, text: str) -> Locator:
        """Each row of the log that has this text in it."""
        return self.log.get_by_role("button").filter(has_text=text)

    def story(self, text: str) -> Locator:
        """Each story of the log that has this text in it."""
        return self.log.locator("> *").filter(has_text=text)

    def fill(self, username: str, password: str) -> None:
        self.username.fill(username)
        self.password.fill(password)


def log_in(panel: Panel, username: str = "ada") -> None:
    """Register and log in."""
    panel.fill(username, PASSWORD)
    panel.press("Register")
    expect(panel.log).to_contain_text(ordered("201 Created for POST /users/register"))
    expect(panel.password).to_have_value("")
    panel.fill(username, PASSWORD)
    panel.press("Log in")
    expect(panel.says(f"{username} is logged in")).to_be_visible()
