"""Two sliders, for the grace period and the thief's delay, and what follows from them."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from .theft import PERIOD, lost_words, thief_words, try_grace


class GraceView(widgets.VBox):  # type: ignore[misc]
    """Tries each choice on a real server: see `try_grace`."""

    def __init__(self) -> None:
        self.grace = _slider("grace (s)", 0)
        self.thief_after = _slider("thief after (s)", 10)
        self.result = widgets.HTML()
        super().__init__([self.grace, self.thief_after, self.result])
        for slider in (self.grace, self.thief_after):
            slider.observe(self._try, names="value")
        self._try()

    def _try(self, _: Any = None) -> None:
        trial = try_grace(self.grace.value, thief_after=self.thief_after.value)
        self.result.value = (
            f"After a lost response, and a retry 2 s later: <b>{lost_words(trial)}</b>.<br>"
            f"The thief, {self.thief_after.value} s behind the owner: <b>{thief_words(trial)}</b>."
        )

    def __repr__(self) -> str:
        return "GraceView: run this cell to see it"


def _slider(words: str, value: int) -> widgets.IntSlider:
    return widgets.IntSlider(
        value=value,
        max=PERIOD - 1,
        description=words,
        continuous_update=False,  # a trial is a server and some thirty requests
        style={"description_width": "8em"},
    )
