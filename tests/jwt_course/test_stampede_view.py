"""The view of the stampede, without a browser: by its sliders, boxes and buttons."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from jwt_course.lesson_05.stampede import StampedeResult
from jwt_course.lesson_05.stampede_picture import granted, stampede_picture
from jwt_course.lesson_05.stampede_view import StampedeView, table_html
from jwt_course.lesson_05.strategies import STRATEGIES

from client_widget import TokenStore
from client_widget.protocol.auth_flow import Auth

from ..client_widget.log.pictures.reading import said, same, texts


@pytest.fixture
def view() -> Iterator[StampedeView]:
    view = StampedeView()
    yield view
    view.wait()
    view.close()


def run(view: StampedeView) -> None:
    view.go.click()
    view.wait()


def words(html: str) -> list[str]:
    return re.sub(r"<[^>]*>", " ", html).split()


def test_the_slider_goes_from_2_to_64(view: StampedeView) -> None:
    assert (view.calls.min, view.calls.max, view.calls.value) == (2, 64, 16)


def test_it_runs_what_is_chosen(view: StampedeView) -> None:
    view.calls.value = 4
    each, flag, queue, ours = view.chosen
    view.chosen[flag].value = view.chosen[each].value = False
    view.troubles["the refresh is refused"].value = True
    run(view)
    assert view.results == {
        queue: StampedeResult(4, 0, 0, 1, 3, 1, 0, ("LoginRequired",)),
        ours: StampedeResult(4, 0, 0, 4, 0, 1, 0, ("LoginRequired",)),
    }
    assert "Done." in view.notice.value
    assert view.go.disabled is False


def test_each_trouble_reaches_the_run(view: StampedeView) -> None:
    view.calls.value = 4
    each, flag, *_ = view.chosen
    for name in view.chosen:
        view.chosen[name].value = name == each
    view.troubles["rotation"].value = True
    run(view)
    assert view.results[each].revoked == 1
    assert same(view.to_svg(), view.chart.value, stampede_picture(view.results).svg)
    view.chosen[each].value, view.chosen[flag].value = False, True
    view.troubles["rotation"].value = False
    view.troubles["one 403 comes late"].value = True
    run(view)
    assert view.results[flag] == StampedeResult(4, 2, 2, 0, 0, 2, 0)


def test_nothing_chosen_is_said(view: StampedeView) -> None:
    for box in view.chosen.values():
        box.value = False
    run(view)
    assert "Choose a strategy first." in view.notice.value


def test_a_click_comes_back_at_once_and_a_second_one_does_nothing(view: StampedeView) -> None:
    view.calls.value = 2
    view.go.click()
    assert view.go.disabled is True
    view.go.click()
    view.wait()
    assert set(view.results) == set(STRATEGIES)


def test_a_strategy_that_fails_is_named_by_its_error_only() -> None:
    def broken(store: TokenStore) -> Auth:
        raise OSError("a secret")

    view = StampedeView({"broken": broken})
    run(view)
    assert "The run failed: OSError." in view.notice.value
    assert "secret" not in view.notice.value
    assert view.go.disabled is False
    view.close()


def test_table_and_chart_say_the_same() -> None:
    results = {"<one>": StampedeResult(10, 4, 3, 2, 1, 7, 1, ("LoginRequired",))}
    assert words(table_html(results)) == [
        "refreshes", "answers", "refused", "errors", "hangs", "revoked",
        "&lt;one&gt;", "7", "4", "3", "2", "1", "1",
    ]  # fmt: skip
    picture = stampede_picture(results)
    assert said(picture.svg, "desc") == (
        "<one>: 4 answered, 3 refused, 2 raised an error, 1 hang, 1 granted, 6 refused, "
        "session ended"
    )
    signs = [text for text in texts(picture.svg) if text in set("●✚▲■◆◇")]
    assert "".join(signs) == "●●●●✚✚✚▲▲■◆◇◇◇◇◇◇"


@pytest.mark.parametrize(
    ("result", "count"),
    [
        (StampedeResult(10, 10, 0, 0, 0, 10, 0), 10),  # a refresh token that works again
        (StampedeResult(10, 0, 1, 9, 0, 10, 1), 1),  # a spent one ends the session
        (StampedeResult(10, 0, 0, 1, 9, 1, 0), 0),  # an expired one
    ],
)
def test_how_many_refreshes_were_granted(result: StampedeResult, count: int) -> None:
    assert granted(result) == count


def test_before_a_run_the_picture_says_what_to_do(view: StampedeView) -> None:
    assert "Run this cell to choose" in texts(view.to_svg())[0]


def test_its_text_is_the_same_every_time(view: StampedeView) -> None:
    assert repr(view) == "StampedeView: run this cell to see it"
