"""Two sliders, for the grace period and the thief's delay, and what follows from them."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from client_widget.widgets.view import View

from .grace_picture import grace_picture
from .theft import PERIOD, THIEF_AFTER, try_grace


class GraceView(View, widgets.VBox):  # type: ignore[misc]
    """Tries each choice on a real server: see `try_grace`."""

    def __init__(self) -> None:
        self.grace = _slider("grace (s)", 0)
        self.thief_after = _slider("thief after (s)", THIEF_AFTER)
        self.result = widgets.HTML()
        super().__init__([self.grace, self.thief_after, self.result])
        for slider in (self.grace, self.thief_after):
            slider.observe(self._try, names="value")
        self._try()

    def _try(self, _: Any = None) -> None:
        delay = self.thief_after.value
        trial = try_grace(self.grace.value, thief_after=delay)
        self.result.value = grace_picture([trial], thief_after=delay).svg

    def to_svg(self) -> str:
        """The strip of the chosen period."""
        return str(self.result.value)


def _slider(words: str, value: int) -> widgets.IntSlider:
    return widgets.IntSlider(
        value=value,
        max=PERIOD - 1,
        description=words,
        continuous_update=False,  # a trial is a server and some thirty requests
        style={"description_width": "8em"},
    )
