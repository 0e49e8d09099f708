"""Step by step on the panel: the message about to be sent, and what to send instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import ipywidgets as widgets

from ..client.auth_client import AuthClient
from ..client.stepper import Held, stepper_of
from ..clock import Clock
from ..display import as_html
from ..log.masking import mask_token
from ..protocol.auth_flow import Request, with_bearer
from ..protocol.tokens import TokenPair
from .background import Pulse
from .view import Stylesheet, View, classes, clock_of


def _without_token(message: Request) -> Request:
    if message.replaces is not None:
        return replace(message, json={})
    return replace(message, headers={}, signed_with=None)


def _with(message: Request, token: str) -> Request:
    if message.replaces is not None:
        return replace(message, json={"token": token})
    pair = message.signed_with
    return with_bearer(message, pair.with_access(token) if pair else TokenPair(token, ""))


def _with_the_other(message: Request) -> Request:
    if message.replaces is not None:
        return _with(message, message.replaces.access)
    return _with(message, message.signed_with.refresh) if message.signed_with else message


#: How a message may be changed before it is sent, by the label of the choice.
CHANGES: dict[str, Callable[[Request], Request]] = {
    "the token of the flow": lambda message: message,
    "no token": _without_token,
    "the other token": _with_the_other,
    "a made-up token": lambda message: _with(message, "made.up.token"),
}


#: What to do when a cell waits. Whether the kernel handles a click meanwhile depends on the kernel,
#: the page and the widget, so the buttons are disabled.
STUCK = (
    "A cell makes this call, and no button works until the cell ends. Interrupt the kernel (■) to "
    "stop the cell. Then make the call with a button such as Home."
)


def where_to_send(held: Held) -> str:
    """Which message waits, and what to do about it: as a rule, in three lines."""
    if held.in_a_loop:
        return f"{held.title} waits in a cell, so no button works. Interrupt the kernel (■)."
    return f"{held.title} waits. Press “Send it” under “Step by step”."


class StepView(View, widgets.VBox):  # type: ignore[misc]
    """A switch that pauses the client's messages, and a button that sends the next one.

    Args:
        client (AuthClient): its messages are paused.
        clock (Clock | None): returns seconds since the epoch; the client's by default.

    Attributes:
        hold (ToggleButton): pauses messages.
        change (Dropdown): which token to send, one of `CHANGES`.
        next (Button): sends the message.
        message (HTML): the message that waits.
        stepper (Stepper): pauses the messages. It is the client's `before_send` while it is on,
            and all views of the client share it.
    """

    def __init__(self, client: AuthClient, *, clock: Clock | None = None) -> None:
        clock_of(client, clock)  # raises, unless both are usable
        self._client = client
        self._draw_soon = Pulse(0.03, self._draw)
        self.stepper = stepper_of(client)
        self.hold = widgets.ToggleButton(description="Hold messages")
        self.change = widgets.Dropdown(description="Send with", options=list(CHANGES))
        self.next = widgets.Button(description="Send it", button_style="primary")
        self.message = widgets.HTML()
        self.hold.observe(self._on_hold, "value")
        self.next.on_click(lambda _: self._send_message())
        row = widgets.HBox([self.change, self.next], **classes("lab-buttons"))
        super().__init__([Stylesheet(), self.hold, self.message, row], **classes("lab-steps"))
        self._draw()
        self.on_close(self.stepper.use(self._draw_soon.start), self._draw_soon.stop)

    def to_svg(self) -> str:
        """The message that waits, its tokens masked."""
        from ..log.pictures.page import Words, page  # with its library, slow to import

        held = self.stepper.first
        text = self._idle if held is None else f"Waits to be sent\n{_preview(held.message)}"
        return page("Step by step", [[Words(text)]])

    def refresh(self) -> None:
        """Show the message that is waiting."""
        self._draw()

    def _on_hold(self, change: dict[str, bool]) -> None:
        if self.stepper.on != change["new"]:
            self.stepper.on = change["new"]

    def _send_message(self) -> None:
        message = self.stepper.waiting
        if message is not None:
            self.stepper.next(CHANGES[self.change.value](message))
            self.change.value = next(iter(CHANGES))

    @property
    def _idle(self) -> str:
        """What it says while no message waits."""
        if self.stepper.on:
            return "Messages are held. Press Home: its first message waits here until you send it."
        return "Messages are sent at once. Press Hold messages to stop each one here."

    def _draw(self) -> bool:
        held = self.stepper.first
        stuck = held is not None and held.in_a_loop
        self.hold.value = self.stepper.on
        self.hold.disabled = stuck
        self.next.disabled = self.change.disabled = held is None or stuck
        if held is not None:
            text = f"<b>Waits to be sent</b><br><code>{as_html(_preview(held.message))}</code>"
            if stuck:
                text += f"<br>{STUCK}"
        else:
            text = self._idle
        self.message.value = f'<div class="lab-message" role="status">{text}</div>'
        return False


def _preview(message: Request) -> str:
    """The message as it would be sent, its tokens masked."""
    lines = [f"{message.method} {message.path}   ({message.purpose})"]
    if message.signed_with is not None:
        lines.append(f"Authorization: Bearer {mask_token(message.signed_with.access)}")
    if message.replaces is not None:
        lines.append(f'{{"token": "{mask_token(message.replaces.refresh)}"}}')
    return "\n".join(lines)
