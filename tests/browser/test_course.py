"""The widgets and graphs of the course in a real JupyterLab, as a learner meets them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from jwt_course.copies import start
from jwt_course.progress import report
from playwright.sync_api import Locator, Page, expect

from .answers import ANSWERS
from .lab import Lab, Notebook, shut_kernels_down
from .learner import Learner


@pytest.fixture
def lesson(lab: Lab, page: Page, request: pytest.FixtureRequest) -> Iterator[Notebook]:
    """The lesson that the test names, run from the top; no cell failed."""
    notebook = Notebook(page, lab, request.param)
    try:
        notebook.open()
        yield notebook
    finally:
        notebook.close()
        shut_kernels_down(lab)


# How wide a picture in a cell's output is, in pixels, once it is decoded.
DRAWN = """async (output) => {
  const image = output.querySelector("img");
  if (!image) return output.querySelector("svg").getBoundingClientRect().width;
  await image.decode();
  return image.naturalWidth;
}"""


def slide(slider: Locator, key: str, *, times: int = 1) -> None:
    """Move a slider with the keyboard."""
    handle = slider.get_by_role("slider")
    for _ in range(times):
        handle.press(key)


def rows(table: Locator) -> list[list[str]]:
    """The cells of each row."""
    return [row.locator("th, td").all_inner_texts() for row in table.get_by_role("row").all()]


@pytest.mark.parametrize("lesson", ["05_stampede.ipynb"], indirect=True)
def test_a_stampede_is_chosen_run_and_drawn(lesson: Notebook) -> None:
    page = lesson.page
    calls = page.locator(".widget-slider", has_text="Calls")
    slide(calls, "ArrowLeft", times=6)
    expect(calls.locator(".widget-readout")).to_have_text("10")
    page.get_by_label("rotation", exact=True).check()
    lesson.wait_for_widgets()
    lesson.press("Run")
    expect(lesson.says("Done.")).to_be_visible()
    view = page.locator(".widget-vbox", has=calls)
    table = view.get_by_role("table")
    assert rows(table) == [
        ["", "refreshes", "answers", "refused", "errors", "hangs", "revoked"],
        ["each for itself", "10", "0", "1", "9", "0", "1"],
        ["the article's flag", "5", "0", "10", "0", "0", "1"],
        ["the common queue", "1", "10", "0", "0", "0", "0"],
        ["single flight (ours)", "1", "10", "0", "0", "0", "0"],
    ]
    chart = view.locator("svg.lab-picture")
    expect(chart.get_by_text("10 answered", exact=True)).to_have_count(2)
    expect(chart.get_by_text("1 refused, 9 raised an error", exact=True)).to_be_visible()

    # Another choice on the same view: two strategies, and nothing to refresh with.
    for name in ("each for itself", "the article's flag"):
        page.get_by_label(name, exact=True).uncheck()
    page.get_by_label("the refresh is refused", exact=True).check()
    lesson.wait_for_widgets()
    lesson.press("Run")
    expect(table.get_by_role("row")).to_have_count(3)
    expect(lesson.says("Done.")).to_be_visible()
    assert rows(table)[1:] == [
        ["the common queue", "1", "0", "0", "1", "9", "0"],
        ["single flight (ours)", "1", "0", "0", "10", "0", "0"],
    ]
    expect(chart.get_by_text("1 raised an error, 9 hang", exact=True)).to_be_visible()


@pytest.mark.parametrize("lesson", ["06_rotation_and_theft.ipynb"], indirect=True)
def test_a_family_is_drawn_and_a_grace_is_tried(lesson: Notebook) -> None:
    page = lesson.page
    drawn = page.locator(".jp-RenderedSVG")
    expect(drawn).to_have_count(6)
    for picture in drawn.all():
        assert picture.evaluate(DRAWN) > 100

    strip = page.locator(".widget-html svg.lab-picture")
    expect(strip).to_contain_text("After a lost response the session ends;")
    slide(page.locator(".widget-slider", has_text="grace"), "ArrowRight", times=3)
    expect(strip).to_contain_text("After a lost response the session goes on;")
    expect(strip).to_contain_text("the thief is detected at refresh 1")
    slide(page.locator(".widget-slider", has_text="thief after"), "Home")
    expect(strip).to_contain_text("the thief is not detected")


@pytest.mark.parametrize("lesson", ["class_live.ipynb"], indirect=True)
def test_a_class_is_seen_live(lesson: Notebook) -> None:
    """The table follows by itself what the students do in other cells."""
    lesson.run_cell("school = open_class()\nview = ClassView(school.teacher)\nview")
    row = lesson.page.locator(".lab-class tr", has_text="ada").last
    expect(row).to_contain_text("logged in")
    lesson.run_cell('school.home("ada")\nschool.wait(61)')
    expect(row).to_contain_text("access token expired")
    lesson.run_cell('school.home("ada")')
    expect(row).to_contain_text("logged in")
    # On a projector: the text grows with the page, a long name stays inside, and one button moves
    # the clock of the class.
    lesson.run_cell("from client_widget import AuthClient")
    lesson.run_cell('AuthClient(school.server.url).register("W" * 64, "a pass phrase of hers")')
    lesson.run_cell('AuthClient(school.server.url).login("W" * 64, "a pass phrase of hers")')
    view = lesson.page.locator(".lab-class").last
    expect(view).to_contain_text("W" * 64)
    size = "view => [parseFloat(getComputedStyle(view).fontSize), innerWidth / 100]"
    font, hundredth = view.evaluate(size)
    assert font == pytest.approx(1.1 * hundredth, abs=0.1)
    assert view.evaluate("view => view.scrollWidth <= view.clientWidth")
    lesson.press("+61 s for the class")
    expect(view).to_contain_text("61 s ahead")
    expect(row).to_contain_text("access token expired")
    lesson.run_cell("view.close()\nschool.stop()")


def test_a_learner_guesses_answers_wrong_then_right_and_is_reported(lab: Lab, page: Page) -> None:
    """One lesson of a copy, from its top to its end; tools/walk_course.py takes all of them."""
    copy = lab.folder / "ada"
    start(copy)
    lesson = Notebook(page, lab, "ada/07_from_403_to_401.ipynb")
    try:
        said = Learner(lesson).work_through(ANSWERS["07_from_403_to_401"])
    finally:
        lesson.close()
        shut_kernels_down(lab)
    assert [name for name, _ in said] == ["g1", "g2", "g3", "g4", "g5", "q1", "q1", "q3", "q3"]
    assert said[4].words == (
        "You said 2, it was 5, because people mistype, so the first five cost nothing, and then "
        "each wait doubles."
    )
    out, err = io.StringIO(), io.StringIO()
    report([lab.folder], out, err)
    rows = [list(row.values()) for row in csv.DictReader(io.StringIO(out.getvalue()))]
    assert [row for row in rows if row[2].startswith("q")] == [
        ["ada", "07", "q1", "right", "1", "1", "0", "0"],
        ["ada", "07", "q2", "not answered", "0", "0", "0", "0"],
        ["ada", "07", "q3", "right", "1", "1", "0", "0"],
    ]
    assert [row[3] for row in rows[:5]].count("right") == sum(
        ", and it was " in each.words for each in said
    )
    assert err.getvalue() == ""
