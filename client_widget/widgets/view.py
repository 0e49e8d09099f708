"""What the views share: their verbs, their picture, and their style sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets

from ..client.auth_client import AuthClient
from ..clock import Clock, check_clock
from ..log.event_log import Trace
from ..log.pictures.palette import DARK, LIGHT

# As text: anywidget watches a file on behalf of every widget that was made with it, closed ones
# included, and so would keep a closed view and its log.
_HERE = Path(__file__).parent
_css = {path.stem: path.read_text(encoding="utf-8") for path in (_HERE / "styles").glob("*.css")}
# CSS has no way to say one thing for a media query and for a selector.
_css["tokens"] = _css["tokens"].replace("/* LIGHT */", LIGHT).replace("/* DARK */", DARK)
STYLES = "".join(_css[name] for name in ("tokens", "controls", "panel", "views"))


def client_of(watched: AuthClient | Trace) -> AuthClient:
    """The client that a view watches. That of a trace holds no token and can send no message.

    Raises:
        TypeError: it is neither a client nor a trace.
    """
    if isinstance(watched, Trace):
        return AuthClient(watched.base_url, log=watched, clock=watched.clock)
    return _checked(watched)


def clock_of(client: AuthClient, clock: Clock | None) -> Clock:
    """The clock that a view follows: the given one, or its client's.

    Raises:
        TypeError: `client` is not a client, or `clock` cannot be called.
    """
    _checked(client)
    if clock is None:
        return client.clock
    check_clock(clock)
    return clock


def _checked(client: AuthClient) -> AuthClient:
    if isinstance(client, type) or not hasattr(client, "request"):
        raise TypeError(
            "A view shows an AuthClient, such as AuthClient(server.url, log=log), "
            f"not a value of type {type(client).__name__}"
        )
    return client


def classes(*names: str) -> dict[str, list[str]]:
    """CSS classes, as an argument of a new widget; `add_class` would send one more message.

    Jupyter's server takes 2 to 3 ms for each message, and a panel is made of a hundred.
    """
    return {"_dom_classes": list(names)}


class View:
    """The verbs of a view, made as `View(client, *, clock=None)`.

    Mix it in before a widget class. A view overrides only the verbs it needs: `wait` if it works
    in the background, `refresh` if it follows a clock. Whatever a view takes from its client or
    its log, such as a subscription, it returns when it is closed: see `on_close`.
    """

    _closed = False
    _undos: tuple[Callable[[], object], ...] = ()

    def to_svg(self) -> str:
        """A picture of what the view shows now; "" if it has none.

        It contains no token, no port and no time of day, and on a stopped clock the same story
        gives the same text.
        """
        return ""

    def refresh(self) -> None:
        """Redraw what time and events change. Equal values send no message."""

    def wait(self, timeout: float = 20.0) -> None:
        """Wait until all the view's calls have ended.

        Raises:
            TimeoutError: a call is still running after `timeout` seconds.
        """

    def on_close(self, *undos: Callable[[], object]) -> None:
        """Call each of `undos` when the view is closed, before its widgets go."""
        self._undos += undos

    def __repr__(self) -> str:
        return f"{type(self).__name__}: run this cell to see it"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The widget, and its picture in SVG and in words for a page without widgets."""
        bundle = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]  # the widget's own
        # ipywidgets returns the data, anywidget the data and its metadata.
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        if picture := self.to_svg():
            from ..log.pictures.shapes import as_image, in_words  # its library is slow to import

            data = {
                **data,
                "image/svg+xml": as_image(picture),
                "text/plain": in_words(picture),
            }
        return data, metadata

    def close(self) -> None:
        """Remove the view with all its widgets. Its client and its log stay.

        A second call does nothing.
        """
        if self._closed:
            return
        self._closed = True
        for undo in self._undos:
            undo()
        self._undos = ()
        for widget in widgets_of(self):
            widget.close()
        super().close()  # type: ignore[misc]  # the widget's own


def widgets_of(view: object) -> list[widgets.Widget]:
    """The widgets that a view is made of: children, layouts, styles, marks of a chart and so on.

    A view inside the view is among them, but not its widgets, because it closes them itself.
    """
    found: dict[widgets.Widget, None] = {}
    unseen = [view]
    while unseen:
        for part in _parts(unseen.pop()):
            if part not in found and part is not view:
                found[part] = None
                if not isinstance(part, View):
                    unseen.append(part)
    return list(found)


def _parts(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    """The widgets that another one refers to in its traits."""
    for name in widget.keys:
        if widget.trait_has_value(name):
            yield from _widgets_in(getattr(widget, name))


def _widgets_in(value: object) -> Iterator[widgets.Widget]:
    if isinstance(value, widgets.Widget):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _widgets_in(each)
    elif isinstance(value, dict):
        yield from _widgets_in(list(value.values()))


class Stylesheet(anywidget.AnyWidget):
    """An invisible widget that brings the style sheet, and names what a screen reader needs."""

    _esm = (_HERE / "roles.js").read_text(encoding="utf-8")
    _css = STYLES

    def __init__(self) -> None:
        super().__init__(layout=widgets.Layout(display="none"))
