"""The panel's buttons and fields, as a test presses and fills them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets

from client_widget import LoginPanel

from ...conftest import PASSWORD

#: What must be shown as text, wherever it was typed.
MARKUP = "<img src=x onerror=alert(1)>"


def press(panel: LoginPanel, *labels: str) -> None:
    for label in labels:
        panel.buttons[label].click()
        panel.wait()


def fill(panel: LoginPanel, username: str = "ada", password: str = PASSWORD) -> None:
    panel.username.value, panel.password.value = username, password


def log_in(panel: LoginPanel, username: str = "ada") -> None:
    fill(panel, username)
    press(panel, "Register")
    fill(panel, username)
    press(panel, "Log in")


def receive(widget: ipywidgets.Widget, content: dict[str, Any]) -> None:
    """What a page sends to a widget, as the kernel hands it over."""
    data = {"method": "custom", "content": content}
    widget.comm.handle_msg({"content": {"data": data}, "buffers": []})


def pulses() -> list[threading.Thread]:
    """The threads that redraw a view again and again."""
    return [thread for thread in threading.enumerate() if thread.name == "pulse"]


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does soon."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def widgets_in(widget: ipywidgets.Widget) -> Iterator[ipywidgets.Widget]:
    yield widget
    for name in ("layout", "style"):
        if hasattr(widget, name):
            yield getattr(widget, name)
    for child in getattr(widget, "children", ()):
        yield from widgets_in(child)


def saved(panel: LoginPanel) -> str:
    """What the notebook would save of the panel: the state of all its widgets."""
    return repr([widget.get_state() for widget in widgets_in(panel)])
