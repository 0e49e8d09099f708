"""Whether anybody is looking: a browser reports while a page shows a view.

Rules:

- a page reports when it shows the view, then every 10 s, and says bye when the view is removed;
- nobody is looking after a bye, or 60 s after the last report: a browser that is closed or crashes
  may never say bye. A page may be late, because the kernel receives no report while a cell runs;
- if two pages show the view, a bye from one counts for both until the other reports again.

Views use this to work only while somebody can see it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import anywidget
import ipywidgets as widgets

#: Seconds for which one report counts.
GONE_AFTER = 60.0


class Presence(anywidget.AnyWidget):
    """An invisible widget; make it a child of the view to watch.

    Args:
        on_report: called after each report except a bye.
        clock: returns seconds that only go forward.
    """

    _esm = """
    export default {
      render({ model }) {
        const report = () => model.send({ type: "here" });
        report();
        const timer = setInterval(report, 10_000);
        return () => { clearInterval(timer); model.send({ type: "bye" }); };
      },
    };
    """

    def __init__(
        self, on_report: Callable[[], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(layout=widgets.Layout(display="none"))
        self._on_report = on_report
        self._clock = clock
        self._last_report: float | None = None
        self.on_msg(self._on_message)

    @property
    def watched(self) -> bool:
        """Is anybody looking?"""
        last = self._last_report
        return last is not None and self._clock() - last < GONE_AFTER

    def report(self) -> None:
        """Count as watched from now on, as after a page's report."""
        self._last_report = self._clock()
        self._on_report()

    def leave(self) -> None:
        """Count as not watched until the next report, as after a page's bye."""
        self._last_report = None

    def close(self) -> None:
        """Remove the widget, and count as not watched."""
        self.leave()
        super().close()

    def _on_message(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        if content.get("type") == "bye":
            self.leave()
        else:
            self.report()
