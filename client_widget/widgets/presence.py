"""Whether anybody is looking: a browser reports while a page shows a view.

Rules:

- each view on a page has an id, and its messages carry it. The same panel may be shown twice;
- a view reports when it is drawn, twice soon after, then every 10 s, and says bye when it is
  removed or its page is left;
- a view counts for 60 s after its last report: a browser that is closed or crashes may never say
  bye. A page may be late, because the kernel receives no report while a cell runs;
- nobody is looking if no view counts.

The panel uses this to work only while somebody can see it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import anywidget
import ipywidgets as widgets

#: Seconds for which one report counts.
GONE_AFTER = 60.0

# The view that a program announces before the page has drawn it.
_ANNOUNCED = None


class Presence(anywidget.AnyWidget):
    """An invisible widget; make it a child of the view to watch.

    Args:
        on_report: called after each report except a bye.
        clock: returns seconds that only go forward.
    """

    _esm = """
    export default {
      render({ model }) {
        const view = String(Math.random());
        const tell = (type) => {
          try {
            model.send({ type, view });
          } catch {
            // The kernel has restarted: nobody is there to be told.
          }
        };
        const report = () => tell("here");
        report();
        // After a reload the page can draw the view before it is connected to the kernel.
        const early = [1_000, 3_000].map((delay) => setTimeout(report, delay));
        const timer = setInterval(report, 10_000);
        const bye = () => tell("bye");
        addEventListener("pagehide", bye);
        return () => {
          early.forEach(clearTimeout);
          clearInterval(timer);
          removeEventListener("pagehide", bye);
          bye();
        };
      },
    };
    """

    def __init__(
        self, on_report: Callable[[], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(layout=widgets.Layout(display="none"))
        self._on_report = on_report
        self._clock = clock
        self._reports: dict[str | None, float] = {}  # when each view reported last
        self.on_msg(self._on_message)

    @property
    def watched(self) -> bool:
        """Is anybody looking?"""
        now = self._clock()
        return any(now - last < GONE_AFTER for last in tuple(self._reports.values()))

    def report(self) -> None:
        """Count as watched from now on, until the first view reports for itself."""
        self._report(_ANNOUNCED)

    def leave(self) -> None:
        """Count as not watched until the next report."""
        self._reports = {}

    def close(self) -> None:
        """Remove the widget, and count as not watched."""
        self.leave()
        super().close()

    def _report(self, view: str | None) -> None:
        now = self._clock()
        live: dict[str | None, float]
        # Views that are gone without a bye are forgotten here.
        live = {v: t for v, t in self._reports.items() if v and now - t < GONE_AFTER}
        live[view] = now
        self._reports = live
        self._on_report()

    def _on_message(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        view = content.get("view")
        if content.get("type") == "bye":
            live = dict(self._reports)
            live.pop(view, None)
            self._reports = live
        else:
            self._report(view)
