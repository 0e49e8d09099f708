"""What every view can do: `View(client, *, clock=None)`, then `refresh`, `wait` and `close`."""

from __future__ import annotations


class View:
    """The verbs of a view. A view without background work or a clock inherits what it need not do.

    Mix it in before a widget class. `close` leaves the client and its log.
    """

    def refresh(self) -> None:
        """Redraw what time and events change. Equal values send no message."""

    def wait(self, timeout: float = 20.0) -> None:
        """Wait until none of the view's calls is under way.

        Raises:
            TimeoutError: one still is after `timeout` seconds.
        """

    def close(self) -> None:
        """Take the view away."""
        super().close()  # type: ignore[misc]  # the widget's own
