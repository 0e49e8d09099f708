"""The benchmark's command and tables. What it measures is no test's business."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace as Namespace

import pytest

from benchmarks import __main__ as command
from benchmarks import results
from benchmarks.__main__ import ON_REQUEST, PARTS, line, main
from benchmarks.load import whole
from benchmarks.results import text
from benchmarks.table import Grid, Part, Row, markdown, measured, number, ratio


def test_help_names_every_part(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    shown = capsys.readouterr().out
    assert [part for part in (*PARTS, *ON_REQUEST) if part not in shown] == []


def test_every_part_can_be_measured() -> None:
    for part in (*PARTS, *ON_REQUEST):
        assert callable(import_module(f"benchmarks.parts.{part}").measure)


def test_a_part_that_is_unknown_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["weather"])
    assert "weather" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        (Row("x", 1.0434, at_most=1.1), ["x", "1.043", "", "1.020", "at most 1.1", "ok"]),
        (Row("x", 1.2, at_most=1.1), ["x", "1.200", "", "1.020", "at most 1.1", "OVER"]),
        (Row("x", 12.64, at_least=1.3), ["x", "12.6", "", "1.020", "at least 1.3", "ok"]),
        (
            Row("x", 2465.4, at_least=250_000),
            ["x", "2,465", "", "1.020", "at least 250,000", "UNDER"],
        ),
        (Row("y", 2.0, (1.5, 2.5)), ["y", "2.000", "1.500 … 2.500", "", "", ""]),
    ],
)
def test_a_row_has_its_figure_its_spread_the_last_one_and_its_verdict(
    row: Row, cells: list[str]
) -> None:
    assert row.cells({"x": 1.02}) == cells


def test_a_figure_is_the_median_and_the_spread_its_quartiles() -> None:
    assert measured("x", [1.0, 9.0, 3.0, 2.0, 4.0]) == Row("x", 3.0, (2.0, 4.0))
    assert measured("x", [7.0]) == Row("x", 7.0, (7.0, 7.0))


def test_a_ratio_is_taken_in_each_round() -> None:
    """The second round was twice as slow for both: it changes nothing."""
    assert ratio("x", [3.0, 6.0, 3.0], [2.0, 4.0, 2.0]) == Row("x", 1.5, (1.5, 1.5))


def test_results_hold_budgets_parts_grids_and_what_is_left_out() -> None:
    part = Part(
        "Server",
        "How.",
        rows=[Row("with", 1.0, at_most=1.1), Row("without", 2.0)],
        grids=[Grid(("n", "ms"), [["1", number(0.25)]])],
        left_out=["Express, which needs node and npm."],
    )
    written = text([part], "A machine", "flask 3", {"with": 0.9})
    budgets, server = written.split("## The budgets")[1].split("## Server")
    assert "| with | 1.000 |  | 0.900 | at most 1.1 | ok |" in budgets
    assert "without" not in budgets
    assert "All of them are met." in budgets
    assert server == (
        "\n\nHow.\n\n"
        "| what | now | middle half | last recorded | budget |  |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| with | 1.000 |  | 0.900 | at most 1.1 | ok |\n"
        "| without | 2.000 |  |  |  |  |\n\n"
        "| n | ms |\n| --- | ---: |\n| 1 | 0.250 |\n\n"
        "Left out: Express, which needs node and npm.\n"
    )


def test_results_say_first_which_budgets_are_missed() -> None:
    rows = [
        Row("slow", 1.2, at_most=1.1),
        Row("few", 9.0, at_least=10),
        Row("well", 1.0, at_most=2),
    ]
    written = text([Part("Server", "How.", rows)], "A machine", "flask 3", {})
    budgets = written.split("## The budgets")[1]
    missed = "**Missed:** slow (1.200, at most 1.1); few (9.000, at least 10).\n\n| what "
    assert budgets.startswith(f"\n\n{missed}")


def test_a_line_of_the_terminal_holds_the_same() -> None:
    assert line(Row("x", 1.2, at_most=1.1), {"x": 1.0}).split() == [
        "x",
        "1.200",
        "1.000",
        "at",
        "most",
        "1.1",
        "OVER",
    ]


@pytest.mark.parametrize(("figure", "code"), [(1.1, 0), (1.2, 1)])
def test_a_missed_budget_is_the_exit_code_and_a_record_is_kept(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    figure: float,
    code: int,
) -> None:
    part = Part("Server", "How.", [Row("slow", figure, at_most=1.1)])
    monkeypatch.setattr(command, "import_module", lambda *_: Namespace(measure=lambda quick: part))
    monkeypatch.setattr(results, "LAST", tmp_path / "last.json")
    (tmp_path / "last.json").write_text('{"slow": 9, "of another part": 2}')
    assert main(["client", "--record"]) == code
    assert json.loads((tmp_path / "last.json").read_text()) == {
        "slow": figure,
        "of another part": 2,
    }
    assert (f"MISSED: slow ({figure:.3f}, at most 1.1)" in capsys.readouterr().out) == bool(code)


def test_a_table_is_markdown() -> None:
    assert markdown(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | ---: |\n| 1 | 2 |"


def test_the_load_knows_when_an_answer_is_whole() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    assert [whole(bytearray(head[:n])) for n in (0, 20)] == [False, False]
    assert [whole(bytearray(head + body)) for body in (b"", b"{", b"{}")] == [False, False, True]
