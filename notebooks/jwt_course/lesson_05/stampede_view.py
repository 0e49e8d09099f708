"""`StampedeView`: choose the number of calls, the strategies and the conditions, and run them.

The table and the chart say the same, so that nothing depends on colour alone. No times are shown:
they are mostly those of the gates and of the threads' ends, and say little about a strategy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from types import MappingProxyType

import ipywidgets as widgets

from client_widget.log.pictures.page import Words, page
from client_widget.widgets.background import NoThread, Workers
from client_widget.widgets.view import View

from .stampede import COLUMNS, LEAST, MOST, StampedeResult, run_stampede
from .stampede_picture import stampede_picture
from .strategies import STRATEGIES, Strategy

#: Conditions, by the words for them, and the argument of `run_stampede`.
TROUBLES: Mapping[str, str] = {
    "rotation": "rotation",
    "the refresh is refused": "refused",
    "one 403 comes late": "late",
}

_FIRST = "Choose, and press Run."
_STATIC = "Run this cell to choose the calls, the strategies and the conditions."

_TEXT = "color:var(--jp-content-font-color1,#222);font-size:14px;line-height:1.5"


class StampedeView(View, widgets.VBox):  # type: ignore[misc]
    """A stampede on the screen.

    Args:
        strategies (Mapping[str, Strategy]): those to choose from, by name.

    Attributes:
        calls (IntSlider), go (Button)
        chosen, troubles (dict[str, Checkbox]): the strategies, and the conditions.
        results (Mapping[str, StampedeResult]): of the last run.
        notice, chart, table (HTML): what it says.
    """

    def __init__(self, strategies: Mapping[str, Strategy] = STRATEGIES) -> None:
        self._strategies = dict(strategies)
        self._workers = Workers()
        self.results: Mapping[str, StampedeResult] = MappingProxyType({})
        self.calls = widgets.IntSlider(
            16, min=LEAST, max=MOST, description="Calls", continuous_update=False
        )
        self.chosen = {name: _box(name, True) for name in self._strategies}
        self.troubles = {words: _box(words, False) for words in TROUBLES}
        self.go = widgets.Button(description="Run", button_style="primary")
        self.go.on_click(lambda _: self._start())
        self.notice, self.chart, self.table = (widgets.HTML() for _ in range(3))
        super().__init__(
            [
                widgets.HBox([self.calls, self.go]),
                _row("Strategies", self.chosen.values()),
                _row("Conditions", self.troubles.values()),
                self.notice,
                self.chart,
                self.table,
            ]
        )
        self._say(_FIRST)

    def wait(self, timeout: float = 60.0) -> None:
        """Wait for the run under way.

        Raises:
            TimeoutError: it takes longer than `timeout` seconds.
        """
        self._workers.wait(timeout)

    def to_svg(self) -> str:
        """How the last run ended."""
        if not self.results:
            return page("Stampede", [[Words(_STATIC)]])
        return stampede_picture(self.results).svg

    def _start(self) -> None:
        if not self.go.disabled:
            self.go.disabled = True
            try:
                self._workers.start("stampede", self._run)
            except NoThread as error:
                self.go.disabled = False
                self._say(f"{error}")

    def _run(self) -> None:
        calls = self.calls.value
        troubles = {name: self.troubles[words].value for words, name in TROUBLES.items()}
        results: dict[str, StampedeResult] = {}
        try:
            for name, strategy in self._strategies.items():
                if not self.chosen[name].value:
                    continue
                self._say(f"{name}: {calls} calls …")
                results[name] = run_stampede(strategy, calls, **troubles)
                self._show(results)
            self._say("Done." if results else "Choose a strategy first.")
        except Exception as error:
            # Its message may hold anything.
            self._say(f"The run failed: {type(error).__name__}.")
        finally:
            self.go.disabled = False

    def _show(self, results: Mapping[str, StampedeResult]) -> None:
        self.results = MappingProxyType(dict(results))
        self.chart.value, self.table.value = self.to_svg(), table_html(results)

    def _say(self, words: str) -> None:
        self.notice.value = f'<div role="status" style="{_TEXT}">{escape(words)}</div>'


def table_html(results: Mapping[str, StampedeResult]) -> str:
    """The results as a table."""
    head = "".join(f'<th scope="col">{title}</th>' for title in ("", *COLUMNS))
    rows = "".join(
        f'<tr><th scope="row" style="text-align:left">{escape(name)}</th>'
        + "".join(f"<td>{getattr(result, column)}</td>" for column in COLUMNS)
        + "</tr>"
        for name, result in results.items()
    )
    style = f"{_TEXT};border-spacing:12px 2px;text-align:right"
    return f'<table style="{style}"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _box(words: str, value: bool) -> widgets.Checkbox:
    return widgets.Checkbox(
        value, description=words, indent=False, layout=widgets.Layout(width="auto")
    )


def _row(title: str, boxes: Iterable[widgets.Checkbox]) -> widgets.HBox:
    # As wide as the slider's label, and at its right end, too.
    place = widgets.Layout(width="80px", flex="none", display="flex", justify_content="flex-end")
    label = widgets.Label(title, layout=place)
    # In their own box: where there is little room they break beside the label.
    layout = widgets.Layout(flex_flow="row wrap", grid_gap="4px 16px")
    parts = [label, widgets.HBox(tuple(boxes), layout=layout)]
    return widgets.HBox(parts, layout=widgets.Layout(grid_gap="14px"))
