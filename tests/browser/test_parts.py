"""The parts around the panel in a real JupyterLab, as a person uses them."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from client_widget.widgets.presence import Presence

from .lab import Notebook, change_theme
from .panel import PASSWORD, log_in, ordered

#: The first letters of each token, and a token's mask.
TOKEN = "eyJ"
MASK = re.compile(r"<token [0-9a-f]{8}>")

# Watch a text for a while, longer than the panel takes between two drawings.
CHANGES_OF = """(element, milliseconds) => new Promise((resolve) => {
  const seen = [element.textContent];
  const look = () => element.isConnected && element.textContent !== seen.at(-1)
    && seen.push(element.textContent);
  const timer = setInterval(look, 50);
  setTimeout(() => { clearInterval(timer); resolve(seen); }, milliseconds);
})"""

# As JupyterLab's command does it, without the question whether it is meant.
RESTART = """() => window.jupyterapp.shell.currentWidget.context
  .sessionContext.session.kernel.restart()"""


def texts(notebook: Notebook) -> list[str]:
    """What the rows of the log say, without times, actors and statuses."""
    return notebook.log.locator(".lab-log-text").all_inner_texts()


def test_held_messages_go_one_by_one(notebook: Notebook) -> None:
    notebook.log_in()
    notebook.press("+61 s")
    notebook.open_tab("Step by step")
    notebook.press("Hold messages")
    expect(notebook.says("Messages are held")).to_be_visible()
    expect(notebook.button("Send it")).to_be_disabled()
    notebook.press("Home")
    expect(notebook.says("GET /home (call)")).to_be_visible()
    notebook.button("Hold").click()  # the clock, for a row that comes after all others
    expect(notebook.row("the clock stands still")).to_be_visible()
    assert texts(notebook)[-3:] == [
        "the clock moved by 61 s",
        "Home was pressed",
        "the clock stands still",
    ]

    notebook.press("Send it")
    expect(notebook.says("POST /refresh (refresh)")).to_be_visible()
    expect(notebook.row("POST /refresh")).to_have_count(0)
    notebook.press("Send it")
    expect(notebook.says("GET /home (retry)")).to_be_visible()
    expect(notebook.row("200 OK for POST /refresh")).to_be_visible()
    expect(notebook.row("GET /home again")).to_have_count(0)
    expect(notebook.home("Welcome ada")).to_have_count(0)
    notebook.press("Send it")
    expect(notebook.home("Welcome ada")).to_be_visible()
    expect(notebook.says("Messages are held")).to_be_visible()
    expect(notebook.row("GET /home again")).to_have_count(1)


def test_a_held_message_is_sent_without_its_token(notebook: Notebook) -> None:
    notebook.log_in()
    notebook.open_tab("Step by step")
    notebook.press("Hold messages", "Home")
    expect(notebook.says("GET /home (call)")).to_be_visible()
    change = notebook.page.get_by_label("Send with", exact=True)
    change.select_option("no token")
    notebook.press("Send it")
    expect(notebook.says("POST /refresh (refresh)")).to_be_visible()
    expect(change).to_have_value("the token of the flow")
    notebook.press("Hold messages")  # let all others go
    expect(notebook.home("Welcome ada")).to_be_visible()
    expect(notebook.log).to_contain_text(
        ordered(
            "GET /home without a token",
            "the request carried no token",
            "403 Forbidden for GET /home",
            "200 OK for POST /refresh",
            "GET /home again, with the access token",
            "200 OK for GET /home",
        )
    )


def test_a_row_opens_and_its_token_is_never_saved(notebook: Notebook) -> None:
    notebook.log_in()
    notebook.press("Home")
    expect(notebook.row("200 OK for GET /home")).to_be_visible()
    row = notebook.row("GET /home with the access token")
    row.focus()
    notebook.page.keyboard.press("Enter")
    expect(notebook.details).to_contain_text(re.compile(f"Authorization: Bearer {MASK.pattern}"))
    notebook.page.keyboard.press("Escape")
    expect(notebook.details).to_have_count(0)  # hidden
    expect(row).to_be_focused()

    row.click()
    notebook.press("Reveal tokens")
    expect(notebook.details).to_contain_text(f"Authorization: Bearer {TOKEN}")
    notebook.execute("docmanager:save")
    shown = notebook.path.read_text()

    notebook.press("Mask tokens")
    expect(notebook.details).not_to_contain_text(TOKEN)
    expect(notebook.details).to_contain_text(MASK)
    notebook.execute("docmanager:save")
    for saved in (shown, notebook.path.read_text()):
        assert "Welcome ada" in saved  # what the widgets hold is in the file
        assert TOKEN not in saved
        assert MASK.search(saved) is None


def download(notebook: Notebook, button: str) -> tuple[str, str]:
    """Press a button that saves a file; gives the file's name and text."""
    with notebook.page.expect_download() as download:
        notebook.press(button)
    file = download.value
    return file.suggested_filename, file.path().read_text()


def test_the_log_is_saved_as_a_file(notebook: Notebook) -> None:
    notebook.log_in()
    notebook.press("Home")
    expect(notebook.row("200 OK for GET /home")).to_be_visible()

    name, text = download(notebook, "Save as JSON lines")
    har_name, har_text = download(notebook, "Save as HAR")
    assert (name, har_name) == ("event-log.jsonl", "event-log.har")
    events: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    entries = json.loads(har_text)["log"]["entries"]
    assert [(entry["request"]["method"], entry["response"]["status"]) for entry in entries] == [
        ("POST", 201),
        ("POST", 201),
        ("GET", 200),
    ]
    for saved in (text, har_text):
        assert MASK.search(saved)
        assert TOKEN not in saved


def test_the_tabs(notebook: Notebook) -> None:
    log_in(notebook)
    flow = notebook.flow
    expect(flow.get_by_role("img", name="The flow of Log in")).to_contain_text("POST /users/login")
    notebook.press("Home")
    expect(flow.get_by_role("img", name="The flow of Home")).to_contain_text("Welcome ada")
    expect(flow.get_by_role("img")).to_have_count(1)

    timeline = notebook.open_tab("Timeline").get_by_role("img", name="Timeline")
    expect(timeline.get_by_text("now", exact=True)).to_be_visible()

    notebook.open_tab("Tokens")
    notebook.press("Re-sign with a wrong secret")
    verdict = notebook.says("signed with a wrong secret")
    expect(verdict).to_contain_text("403 Forbidden token_invalid")
    expect(verdict).to_contain_text("GET /home, the access token")

    tour = notebook.open_tab("Tour")
    expect(tour.get_by_role("heading", name="A closed door")).to_be_visible()
    expect(notebook.button("Next step")).to_be_disabled()
    notebook.press("The server refuses. You have to log in.")
    expect(notebook.says("Your answer is right.")).to_be_visible()
    expect(tour).to_contain_text("Score: 1 of 1 right")
    notebook.press("Next step")
    expect(tour.get_by_role("heading", name="Register", exact=True)).to_be_visible()
    expect(notebook.says("Your answer is right.")).to_have_count(0)


def font_size(element: Locator) -> float:
    size: str = element.evaluate("element => getComputedStyle(element).fontSize")
    return float(size.removesuffix("px"))


def test_the_projector_and_the_pace(notebook: Notebook) -> None:
    notebook.log_in()
    usual = font_size(notebook.log)
    notebook.press("Projector")
    expect(notebook.page.locator(".lab-panel.lab-projector")).to_be_visible()
    assert font_size(notebook.log) > 1.3 * usual
    notebook.press("Projector")
    expect(notebook.page.locator(".lab-panel.lab-projector")).to_have_count(0)
    assert font_size(notebook.log) == usual

    card = notebook.page.locator(".lab-token", has_text="Access token")
    left = card.locator(".lab-left")
    notebook.press("Hold")
    expect(notebook.row("the clock stands still")).to_be_visible()
    assert len(left.evaluate(CHANGES_OF, 1500)) == 1
    notebook.press("×60")
    expect(notebook.row("the clock runs 60 times as fast")).to_be_visible()
    expect(left).to_contain_text("expired")


def test_a_restarted_kernel_is_said_in_words(notebook: Notebook) -> None:
    panel = notebook.page.locator(".lab-panel")
    before = "element => getComputedStyle(element, '::before').content"
    assert panel.evaluate(before) == "none"
    notebook.page.evaluate(RESTART)
    expect(panel).to_have_class(re.compile("jupyter-widgets-disconnected"))
    assert "The kernel has restarted" in panel.evaluate(before)
    assert "Run its cell again" in panel.evaluate(before)
    notebook.wait_for_kernel()
    notebook.execute("notebook:run-all-cells")
    notebook.wait_for_cells()
    log_in(notebook)


def test_two_clients_have_a_panel_and_a_colour_each_and_share_a_log(notebook: Notebook) -> None:
    """Two browsers of two users, against one server."""
    notebook.run_cell(
        "from IPython.display import display\n"
        "for name in ('left', 'right'):\n"
        "    other = AuthClient(server.url, log=log, clock=clock, name=name)\n"
        f"    other.register(name, {PASSWORD!r})\n"
        f"    other.login(name, {PASSWORD!r})\n"
        "    display(LoginPanel(other, clock=clock))"
    )
    panels = notebook.page.locator(".lab-panel")
    expect(panels).to_have_count(3)
    for index, name in [(1, "left"), (2, "right")]:
        panels.nth(index).get_by_role("button", name="Home", exact=True).click()
        expect(panels.nth(index).locator(".lab-home", has_text=name)).to_be_visible()
        expect(panels.nth(0).locator(".lab-home", has_text=name)).to_have_count(0)
    colours = [
        panels.nth(0)
        .locator(f".lab-log-actor[data-actor={name}]")
        .last.evaluate("(source) => getComputedStyle(source).color")
        for name in ("left", "right")
    ]
    assert len(set(colours)) == 2


def test_a_cell_that_is_run_again_has_one_panel_and_one_story(notebook: Notebook) -> None:
    log_in(notebook)
    notebook.execute("notebook:run-all-cells")
    notebook.wait_for_cells()
    expect(notebook.log).to_have_count(1)
    expect(notebook.log.locator("> *")).to_have_count(1)  # the new server listens
    log_in(notebook)
    assert len([text for text in texts(notebook) if "ada is logged in" in text]) == 1


def test_the_flow_follows_the_theme_at_once(notebook: Notebook) -> None:
    log_in(notebook)
    flow = notebook.flow.get_by_role("img", name="The flow of Log in")
    status = flow.get_by_text("201 both tokens", exact=True)
    colours = {"JupyterLab Dark": "rgb(63, 185, 80)", "JupyterLab Light": "rgb(26, 127, 55)"}
    for theme, colour in colours.items():
        change_theme(notebook, theme)
        expect(status).to_have_css("fill", colour)


# The contrast ratio of each disabled control's text to what is behind it, as WCAG 2 defines it.
CONTRASTS = """() => {
  const rgba = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a]; };
  const over = ([r, g, b, a], back) => [r, g, b].map((c, i) => c * a + back[i] * (1 - a));
  const back = (element) => {
    if (!element) return [255, 255, 255];
    const colour = rgba(getComputedStyle(element).backgroundColor);
    return over(colour, colour[3] === 1 ? [0, 0, 0] : back(element.parentElement));
  };
  const luminance = (rgb) => rgb.map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (element) => {
    const opacity = (e) => (e ? Number(getComputedStyle(e).opacity) * opacity(e.parentElement) : 1);
    const [r, g, b, a] = rgba(getComputedStyle(element).color);
    const behind = back(element);
    const text = luminance(over([r, g, b, a * opacity(element)], behind));
    const paper = luminance(behind);
    return (Math.max(text, paper) + 0.05) / (Math.min(text, paper) + 0.05);
  };
  const controls = ".lab-panel :is(button, select):disabled";
  return [...document.querySelectorAll(controls)].map((e) => [e.textContent, contrast(e)]);
}"""


def test_what_is_disabled_is_readable_in_both_themes(notebook: Notebook) -> None:
    notebook.open_tab("Step by step")
    expect(notebook.button("Send it")).to_be_disabled()
    notebook.open_tab("Tour")
    expect(notebook.button("Next step")).to_be_disabled()
    notebook.press("The server refuses. You have to log in.")
    expect(notebook.says("Your answer is right.")).to_be_visible()
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        change_theme(notebook, theme)
        contrasts = dict(notebook.page.evaluate(CONTRASTS))
        assert {"Send it", "Something else."} <= contrasts.keys()
        assert {text: ratio for text, ratio in contrasts.items() if ratio < 4.5} == {}


def test_a_cell_that_waits_for_a_held_message_is_explained_and_can_be_stopped(
    notebook: Notebook,
) -> None:
    notebook.log_in()
    notebook.open_tab("Step by step")
    notebook.press("Hold messages")
    expect(notebook.says("Messages are held")).to_be_visible()
    notebook.start_cell("try:\n    client.home()\nexcept KeyboardInterrupt:\n    print('stopped')")
    banner = notebook.page.get_by_role("alert").filter(has_text="GET /home (call) waits")
    expect(banner).to_contain_text("Interrupt the kernel")
    expect(notebook.button("Send it")).to_be_disabled()
    expect(notebook.button("Hold messages")).to_be_disabled()
    notebook.execute("notebook:interrupt-kernel")
    notebook.wait_for_cells()
    expect(banner).to_have_count(0)
    notebook.press("Home")
    expect(banner).to_contain_text("Press “Send it” under “Step by step”")
    notebook.press("Send it")
    expect(notebook.home("Welcome ada")).to_be_visible()
    expect(banner).to_have_count(0)


def test_a_panel_that_is_shown_twice(notebook: Notebook) -> None:
    """Neither wipes the rows of the other, nor opens them, nor stalls its countdown."""
    notebook.log_in()
    notebook.run_cell("panel = _; display(panel)")
    logs = notebook.page.get_by_role("log")
    expect(logs).to_have_count(2)
    for each in logs.all():
        expect(each.get_by_role("button").filter(has_text="ada is logged in")).to_have_count(1)
    # Clear is a matter of one view; a third must not bring the rows back, nor open one.
    clear = notebook.page.get_by_role("button", name="Clear", exact=True)
    clear.nth(0).click()
    expect(logs.nth(0).locator("> *")).to_have_count(0)
    notebook.run_cell("display(panel)")
    expect(logs).to_have_count(3)
    row = logs.nth(2).get_by_role("button").filter(has_text="POST /users/login without")
    expect(row).to_have_count(1)
    expect(logs.nth(0).locator("> *")).to_have_count(0)
    row.click()
    expect(notebook.details).to_contain_text("POST /users/login HTTP/1.1")
    expect(notebook.details).to_have_count(1)
    # The third is removed, and the countdown of the others goes on.
    notebook.execute("notebook:delete-cell")
    expect(logs).to_have_count(2)
    left = notebook.page.locator(".lab-token .lab-left").first
    for _ in range(2):
        expect(left).not_to_have_text(left.inner_text())


def test_a_view_whose_kernel_is_gone_stays_silent(fresh_page: Page) -> None:
    """Its reports come from a timer, which outlives the kernel's connection."""
    fresh_page.clock.install()
    fresh_page.goto("about:blank")
    said = fresh_page.evaluate(
        """async (source) => {
            const module = await import("data:text/javascript," + encodeURIComponent(source));
            const said = [];
            const send = ({ type }) => { said.push(type); throw new Error("Cannot send"); };
            const close = module.default.render({ model: { send } });
            window.finish = () => { close(); return said; };
            return said;
        }""",
        Presence(lambda: None).get_state()["_esm"],
    )
    assert said == ["here"]
    fresh_page.clock.run_for(30_000)
    assert fresh_page.evaluate("finish()") == ["here"] * 6 + ["bye"]
