"""Pages and tables: what they say, where it is, and text that is meant to break them."""

from __future__ import annotations

import pytest

from client_widget.log.pictures.page import (
    ONE,
    TWO,
    Card,
    Heading,
    Inset,
    Step,
    Words,
    page,
    wrapped,
)
from client_widget.log.pictures.shapes import as_image, in_words, width_of
from client_widget.log.pictures.table import Cell, table

from .reading import SVG, root_of, said, size, texts, texts_in

HOSTILE = "</text><script>alert(1)</script>&amp;"
FROM_RIGHT_TO_LEFT = "שלום"


def test_a_page_says_what_its_blocks_say() -> None:
    picture = page("A page", [[Heading("Store"), Card("Access token", "42 s left", 0.7)]])
    assert in_words(picture) == "A page\nStore\nAccess token: 42 s left"
    assert texts(picture) == ["Store", "Access token", "42 s left"]


def test_two_columns_are_next_to_each_other_and_blocks_below_each_other() -> None:
    left = [Words("one"), Words("two")]
    picture = page("A page", [left, [Words("three")]], widths=TWO)
    at = {
        t.text: (float(t.get("x", 0)), float(t.get("y", 0)))
        for t in root_of(picture).iter(f"{SVG}text")
    }
    assert at["one"][0] == at["two"][0] < at["three"][0]
    assert at["one"][1] == at["three"][1] < at["two"][1]


@pytest.mark.parametrize(
    ("share", "role", "bars"), [(1.0, "ok", 1), (0.2, "warn", 1), (0.0, "bad", 0)]
)
def test_a_cards_colour_changes_towards_its_end(share: float, role: str, bars: int) -> None:
    picture = page("A page", [[Card("A token", "so much left", share)]])
    assert texts_in(picture, role) == ["so much left"]
    solid = [r for r in root_of(picture).iter(f"{SVG}rect") if "solid" in r.get("class", "")]
    assert len(solid) == bars


def test_a_text_is_broken_into_lines_that_fit() -> None:
    lines = wrapped("one two three four\nfive", width_of("three four"))
    assert lines == ["one two", "three four", "five"]
    assert wrapped("w" * 50, width_of("w" * 10)) == ["w" * 9 + "…"]


def test_what_is_isolated_stays_in_one_line() -> None:
    name = f"\u2068{FROM_RIGHT_TO_LEFT} {FROM_RIGHT_TO_LEFT}\u2069"
    assert wrapped(f"a {name} b", width_of(name)) == ["a", name, "b"]


@pytest.mark.parametrize("words", [HOSTILE, f"\u202e{FROM_RIGHT_TO_LEFT}", "]]>\x00\ud800"])
def test_text_from_outside_stays_text(words: str) -> None:
    blocks = [Heading(words), Words(words), Card(words, words, 0.5, [words]), Step(words, words)]
    for picture in (page("A page", [blocks]), table("A table", [words], [[Cell(words)]])):
        root = root_of(picture)
        assert {e.tag for e in root.iter()} <= {
            f"{SVG}{name}" for name in ("svg", "title", "desc", "style", "rect", "line", "text")
        }
        assert "\u202e" not in picture


def test_another_picture_is_made_to_fit() -> None:
    wide = table("A table", ["x" * 200], [])
    picture = page("A page", [[Inset(wide)]])
    assert size(wide)[0] > ONE[0]
    [moved] = root_of(picture).iter(f"{SVG}g")
    scale = float(moved.get("transform", "").split("scale(")[1].rstrip(")"))
    assert scale * size(wide)[0] == pytest.approx(ONE[0], rel=0.01)
    assert len(list(root_of(picture).iter(f"{SVG}style"))) == 1


def test_a_table_has_a_row_for_each_and_a_badge_for_each_colour() -> None:
    rows = [[Cell("ada"), Cell("in", "ok")], [Cell("bob"), Cell("out", "bad", ["since 5 s"])]]
    picture = table("A table", ["Name", "State"], rows, note="And 2 more.")
    assert texts(picture) == [
        "Name",
        "State",
        "ada",
        "in",
        "bob",
        "out",
        "since 5 s",
        "And 2 more.",
    ]
    assert texts_in(picture, "bad") == ["out"]
    assert said(picture, "desc") == ("ada: State: in\nbob: State: out, since 5 s\nAnd 2 more.")


def test_a_table_names_a_row_with_all_lines_of_its_first_cell() -> None:
    rows = [[Cell("GET /home", more=["no token"]), Cell("403", "bad")]]
    assert said(table("A table", ["", "status"], rows), "desc") == (
        "GET /home, no token: status: 403"
    )


def test_a_line_below_a_badge_leaves_it_room() -> None:
    """A text reaches about 10 pixels above its place."""
    root = root_of(table("A table", ["status"], [[Cell("401", "bad", more=["the reason"])]]))
    [pill] = [rect for rect in root.iter(f"{SVG}rect") if "bad" in rect.get("class", "")]
    [reason] = [text for text in root.iter(f"{SVG}text") if text.text == "the reason"]
    bottom = float(pill.get("y", "")) + float(pill.get("height", ""))
    assert float(reason.get("y", "")) - 10 >= bottom + 4


def test_a_table_can_be_empty() -> None:
    assert texts(table("A table", ["Name"], [], note="Nobody.")) == ["Name", "Nobody."]


@pytest.mark.parametrize(("characters", "width"), [(10, None), (300, 860)])
def test_an_image_has_a_width_in_pixels_that_fits_a_page(
    characters: int, width: int | None
) -> None:
    picture = table("A table", ["x" * characters], [])
    assert float(root_of(as_image(picture)).get("width", "")) == (width or size(picture)[0])
    assert in_words(as_image(picture)) == in_words(picture)


def test_only_a_picture_that_stands_alone_follows_the_readers_system() -> None:
    picture = table("A table", ["Name"], [])
    told = ["prefers-color-scheme" in as_image(picture, alone=alone) for alone in (True, False)]
    assert told == [True, False]
    assert '[data-jp-theme-light="false"]' in as_image(picture)  # where it is put into the page
