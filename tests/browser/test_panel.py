"""The panel in a real JupyterLab with a real kernel, as a person uses it.

Everything is found by its role and its accessible name.
"""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from client_widget.widgets.live_log import MAX_ROWS

from ..conftest import PASSWORD
from .lab import Notebook
from .panel import log_in, ordered

MARKUP = "<img src=x onerror=alert(1)>"


def test_the_articles_session_by_hand(notebook: Notebook) -> None:
    before = notebook.counts()
    log_in(notebook)
    notebook.press("Home")
    expect(notebook.home("Welcome ada")).to_be_visible()

    notebook.press("+61 s", "Home")
    expect(notebook.log).to_contain_text(
        ordered(
            "the clock moved by 61 s",
            "GET /home with the access token (expired",
            "403 Forbidden for GET /home",
            "POST /refresh with the refresh token",
            "200 OK for POST /refresh",
            "GET /home again, with the access token",
            "200 OK for GET /home",
        )
    )
    expect(notebook.says("The home page is loaded")).to_be_visible()

    notebook.press("+301 s", "Home")
    expect(notebook.log).to_contain_text(
        ordered(
            "the clock moved by 301 s",
            "403 Forbidden for GET /home",
            "POST /refresh with the refresh token (expired",
            "403 Forbidden for POST /refresh",
            "the session has ended",
        )
    )
    expect(notebook.says("log in again")).to_be_visible()
    expect(notebook.home("Welcome ada")).to_have_count(0)

    notebook.fill("ada", PASSWORD)
    notebook.press("Log in")
    expect(notebook.says("ada is logged in")).to_be_visible()
    notebook.press("Home")
    expect(notebook.home("Welcome ada")).to_be_visible()
    assert notebook.counts() == before  # no cell was run for all this


def test_the_password_leaves_its_field_when_it_is_used(notebook: Notebook) -> None:
    for name in ("Register", "Log in"):
        notebook.fill("ada", PASSWORD)
        expect(notebook.password).to_have_value(PASSWORD)
        notebook.press(name)
        expect(notebook.password).to_have_value("")
        expect(notebook.username).to_have_value("ada")
        expect(notebook.button(name)).to_be_enabled()


def test_enter_in_the_password_field_logs_in(notebook: Notebook) -> None:
    notebook.fill("ada", PASSWORD)
    notebook.press("Register")
    expect(notebook.log).to_contain_text("201 Created for POST /users/register")
    notebook.fill("ada", PASSWORD)
    notebook.password.press("Enter")
    expect(notebook.says("ada is logged in")).to_be_visible()
    expect(notebook.password).to_have_value("")


def test_what_a_user_typed_is_text(notebook: Notebook) -> None:
    """The page also notes each dialog, and fails the test if there was one."""
    log_in(notebook, MARKUP)
    notebook.press("Home")
    expect(notebook.home(f"Welcome {MARKUP}")).to_be_visible()
    expect(notebook.log).to_contain_text(f"{MARKUP} is logged in")
    expect(notebook.page.locator("img[src=x]")).to_have_count(0)


def test_rows_appear_while_a_cell_is_running(notebook: Notebook) -> None:
    """The cell cannot end before the test has seen the rows: it waits for a file."""
    before = notebook.counts()
    log_in(notebook)
    notebook.start_cell(
        "import pathlib, threading, time\n"
        "threading.Thread(target=client.home).start()\n"
        "deadline = time.monotonic() + 60\n"
        "while not pathlib.Path('go').exists():\n"
        "    assert time.monotonic() < deadline\n"
        "    time.sleep(0.02)\n"
        "pathlib.Path('go').unlink()"
    )
    expect(notebook.log).to_contain_text(
        ordered("ada is logged in", "GET /home with the access token", "200 OK for GET /home")
    )
    assert notebook.counts() == [*before, None]
    notebook.path.with_name("go").touch()
    notebook.wait_for_cells()


def colours(notebook: Notebook) -> dict[str, str]:
    """The log's colours, and what the theme gives for them, as the page computes them."""
    result: dict[str, str] = notebook.log.evaluate(
        """(log) => {
          const probe = document.createElement("div");
          probe.style.background = "var(--jp-layout-color1)";
          probe.style.color = "var(--jp-content-font-color1)";
          document.body.append(probe);
          const [own, theme] = [getComputedStyle(log), getComputedStyle(probe)];
          const result = {
            background: own.backgroundColor, color: own.color,
            themeBackground: theme.backgroundColor, themeColor: theme.color,
          };
          probe.remove();
          return result;
        }"""
    )
    return result


def test_the_panel_follows_the_theme(notebook: Notebook) -> None:
    seen = []
    for theme, light in (("JupyterLab Dark", "false"), ("JupyterLab Light", "true")):
        notebook.execute("apputils:change-theme", theme=theme)
        notebook.page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light", arg=light
        )
        # JupyterLab covers itself while it changes; the next change must wait for that.
        expect(notebook.page.locator("#jupyterlab-splash")).to_have_count(0)
        found = colours(notebook)
        assert found["background"] == found["themeBackground"]
        assert found["color"] == found["themeColor"]
        seen.append(found)
    dark, bright = seen
    assert dark["background"] != bright["background"]
    assert dark["color"] != bright["color"]


def test_a_stopped_server_is_said_in_words(notebook: Notebook) -> None:
    notebook.log_in()
    notebook.run_cell("server.stop()")
    notebook.press("Home")
    expect(notebook.says("Is the server running?")).to_be_visible()
    notebook.run_cell("server.start()")
    notebook.press("Home")
    expect(notebook.home("Welcome ada")).to_be_visible()
    expect(notebook.says("Is the server running?")).to_have_count(0)


def test_ten_thousand_events_at_once(notebook: Notebook) -> None:
    notebook.log_in()
    notebook.run_cell("for n in range(10_000):\n    log.record('test.made', source='test', n=n)")
    notebook.press("Home")
    expect(notebook.log).to_contain_text(
        ordered("n=9999", "GET /home with the access token", "200 OK for GET /home")
    )
    expect(notebook.home("Welcome ada")).to_be_visible()
    assert 0 < notebook.log.get_by_text("test.made").count() < MAX_ROWS


def test_the_keyboard_alone_is_enough(notebook: Notebook) -> None:
    """Tab goes through fields and buttons in order; Enter and Space press."""
    before, keyboard = notebook.counts(), notebook.page.keyboard

    def tab_to(target: Locator) -> None:
        keyboard.press("Tab")
        expect(target).to_be_focused()

    notebook.username.focus()
    keyboard.type("ada")
    tab_to(notebook.password)
    keyboard.type(PASSWORD)
    tab_to(notebook.button("Register"))
    keyboard.press("Enter")
    expect(notebook.log).to_contain_text("201 Created for POST /users/register")
    expect(notebook.password).to_have_value("")
    expect(notebook.button("Register")).to_be_focused()

    keyboard.press("Shift+Tab")
    expect(notebook.password).to_be_focused()
    keyboard.type(PASSWORD)
    tab_to(notebook.button("Register"))
    tab_to(notebook.button("Log in"))
    keyboard.press("Space")
    expect(notebook.says("ada is logged in")).to_be_visible()
    expect(notebook.button("Log in")).to_be_enabled()

    tab_to(notebook.button("Home"))
    keyboard.press("Enter")
    expect(notebook.home("Welcome ada")).to_be_visible()
    expect(notebook.button("Home")).to_be_focused()  # it was disabled while the call ran
    keyboard.press("Enter")
    expect(notebook.log.locator("summary").filter(has_text="Home")).to_have_count(2)
    expect(notebook.button("Home")).to_be_focused()
    tab_to(notebook.button("Log out"))
    tab_to(notebook.button("5 × Home"))
    tab_to(notebook.button("+61 s"))
    keyboard.press("Space")
    expect(notebook.log).to_contain_text("the clock moved by 61 s")
    tab_to(notebook.button("+301 s"))
    keyboard.press("Enter")
    expect(notebook.log).to_contain_text("the clock moved by 301 s")
    assert notebook.counts() == before


#: Is the focus marked? Its outline is at least two pixels wide.
MARKED = """(element) => {
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
}"""


def test_step_mode_and_the_tour_by_keyboard_alone(notebook: Notebook) -> None:
    notebook.log_in()
    keyboard = notebook.page.keyboard

    def reach(target: Locator, key: str = "Tab") -> None:
        """Press a key until the target has the focus, which must be marked."""
        for _ in range(60):
            keyboard.press(key)
            if target.evaluate("(element) => element === document.activeElement"):
                assert target.evaluate(MARKED)
                return
        raise AssertionError(f"{key} does not lead to {target}")

    def tab(name: str) -> Locator:
        return notebook.page.get_by_role("tab", name=name, exact=True)

    notebook.button("Home").focus()
    reach(notebook.username, "Shift+Tab")
    reach(notebook.page.get_by_role("searchbox", name="Filter the event log"))
    reach(notebook.log.get_by_role("button").first)
    keyboard.press("ArrowDown")
    expect(notebook.log.locator("summary").first).to_be_focused()
    reach(tab("Timeline"))
    reach(tab("Step by step"), "ArrowRight")
    keyboard.press("Enter")
    reach(notebook.button("Hold messages"))
    keyboard.press("Space")
    expect(notebook.says("Messages are held")).to_be_visible()
    reach(notebook.button("Home"), "Shift+Tab")
    keyboard.press("Enter")
    expect(notebook.says("Waits to be sent")).to_contain_text("GET /home")
    reach(notebook.page.get_by_label("Send with"))
    keyboard.press("ArrowDown")  # "no token"
    notebook.wait_for_widgets()
    reach(notebook.page.locator(".lab-steps").get_by_role("button", name="Send it"))
    keyboard.press("Enter")
    expect(notebook.says("POST /refresh")).to_be_visible()
    reach(notebook.button("Hold messages"), "Shift+Tab")
    keyboard.press("Space")
    expect(notebook.log).to_contain_text(ordered("GET /home without a token", "GET /home again"))

    reach(tab("Step by step"), "Shift+Tab")
    reach(tab("Tour"), "ArrowRight")
    keyboard.press("Enter")
    expect(notebook.page.get_by_role("heading", name="A closed door")).to_be_visible()
    reach(notebook.button("The server refuses. You have to log in."))
    keyboard.press("Enter")
    expect(notebook.page.get_by_text("Your answer is right.")).to_be_visible()
    reach(notebook.button("Next step"))
    keyboard.press("Enter")
    expect(notebook.page.get_by_text("Step 2 of 9")).to_be_visible()
