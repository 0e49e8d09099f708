"""The flow in a real JupyterLab: five calls at once, buttons in the picture, and motion."""

from __future__ import annotations

from playwright.sync_api import expect

from ..conftest import PASSWORD
from .lab import Notebook
from .panel import ordered

HOLD = """\
from client_widget.client.stepper import stepper_of
stepper_of(client).on = True"""

#: The names of the animations that are under way in the picture.
MOTION = """picture => picture.getAnimations({ subtree: true }).map(each => each.animationName)"""


def test_five_calls_and_one_refresh_ten_times(notebook: Notebook) -> None:
    notebook.log_in()
    flow = notebook.page.locator(".lab-at-flow svg")
    first = 3
    for count in range(10):
        if count % 4 == 3:  # the refresh token lasts for 300 s
            notebook.run_cell(f"client.login('ada', {PASSWORD!r});")
            first += 1
        notebook.press("+61 s", "5 × Home")
        calls = f"#{first}–{first + 4} GET /home"
        told = ["5 × Home", f"{calls} ×5", "access token", "403 expired", "×5", "POST /refresh"]
        told += ["200 new access token", f"{calls} again ×5", "200 ×5", "Welcome ada ×5"]
        expect(flow).to_contain_text(ordered(*told))
        expect(flow.get_by_text("POST /refresh", exact=True)).to_have_count(1)
        first += 5

    # Each call has its own lane, and goes back into one arrow: by keyboard alone.
    calls, lane = flow.get_by_role("button").first, flow.get_by_text(f"#{first - 1}", exact=True)
    expect(calls).to_have_attribute("aria-expanded", "false")
    calls.press("Enter")
    expect(lane).to_be_visible()
    expect(calls).to_have_attribute("aria-expanded", "true")
    expect(calls).to_be_focused()
    notebook.page.keyboard.press("Space")
    expect(lane).to_have_count(0)
    expect(calls).to_be_focused()


def test_an_expiry_plays_once_unless_motion_is_reduced(notebook: Notebook) -> None:
    notebook.log_in()
    flow = notebook.page.locator(".lab-at-flow svg")
    notebook.press("+61 s", "Home")
    expect(flow).to_contain_class("plays")
    assert set(flow.evaluate(MOTION)) == set()
    notebook.page.emulate_media(reduced_motion="no-preference")
    assert set(flow.evaluate(MOTION)) == {"lab-appear", "lab-travel"}
    notebook.page.emulate_media(reduced_motion="reduce")
    notebook.press("Home")  # no refresh is needed
    expect(flow).to_contain_text("200")
    expect(flow).not_to_contain_class("plays")


def test_a_held_message_is_sent_from_the_flow(notebook: Notebook) -> None:
    notebook.log_in()
    notebook.run_cell(HOLD)
    flow = notebook.page.locator(".lab-at-flow svg")
    notebook.press("+61 s", "Home")
    for held in ("GET /home (call)", "POST /refresh (refresh)", "GET /home (retry)"):
        expect(flow).to_contain_text(f"{held} is held")
        flow.get_by_role("button", name=f"Send it: {held}").press("Enter")
    expect(flow.get_by_text("Welcome ada", exact=True)).to_be_visible()
    expect(flow.get_by_role("button")).to_have_count(0)
