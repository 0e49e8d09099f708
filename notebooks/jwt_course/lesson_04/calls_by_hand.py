"""Calls that are stepped by hand, each message sent to a real server.

    table = Table(client, ArticleAuth)     # one auth scheme for all calls, as in an app
    a, b = table.call("A"), table.call("B")
    a.send()                               # A's message goes out, and the server answers it
    b.send()
    a.receive()                            # A gets its response, and makes its next message
    b.receive()
    table                                  # a picture: who sent and received what, in order

`AuthClient` does the same in threads, in a random order. Here you choose the order: between `send`
and `receive` a response is under way for as long as you like.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from client_widget import AuthClient, Request, TokenPair, TokenStore, describe
from client_widget.client.outgoing_call import OutgoingCall
from client_widget.client.transport import HttpTransport
from client_widget.log.pictures.shapes import Role
from client_widget.log.pictures.table import Cell
from client_widget.log.pictures.table import table as draw_table
from client_widget.protocol.auth_flow import Auth
from client_widget.protocol.tokens import token_facts

from ..outputs import Picture


class Table:
    """The calls of one auth scheme.

    Args:
        client (AuthClient): whose server, store and log the calls share.
        scheme: makes the auth scheme from the store, such as `ArticleAuth`.
    """

    def __init__(self, client: AuthClient, scheme: Callable[[TokenStore], Auth]) -> None:
        self.client = client
        self.auth = scheme(client.store)
        self.transport = HttpTransport(client.base_url)
        #: The pair whose refresh is under way now.
        self.refreshing: TokenPair | None = None
        self._callers: list[str] = []
        self._steps: list[tuple[str, Cell]] = []
        self._lines: list[str] = []

    def call(self, name: str, path: str = "/home") -> SteppedCall:
        """A `GET` of `path`. It is signed now, with the pair in the store, and not yet sent."""
        self._callers.append(name)
        return SteppedCall(self, name, path)

    def tell(self, caller: str, words: str, role: Role = "plain") -> None:
        """Note a step of a call, for the picture."""
        self._steps.append((caller, Cell(words, role)))

    def trace(self, source: str, words: str) -> None:
        """Note a line of the text next to the picture."""
        self._lines.append(f"{source:>6}  {words}")

    def __repr__(self) -> str:
        return "\n".join(self._lines) or "No call has been sent."

    def picture(self) -> Picture:
        """A column for each call, and a row for each step, the first at the top."""
        rows = [
            [
                Cell(str(number), "muted"),
                *(cell if caller == c else Cell("") for c in self._callers),
            ]
            for number, (caller, cell) in enumerate(self._steps, start=1)
        ]
        return Picture(draw_table("Calls", ["", *self._callers], rows), repr(self))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return self.picture()._repr_mimebundle_()


class SteppedCall:
    """One call: its flow, and the message or response that waits.

    Attributes:
        name (str): of its column in the picture, and the correlation of its events.
        status (int | None): the status that the caller gets, once the call has ended.
    """

    def __init__(self, table: Table, name: str, path: str) -> None:
        self.name = name
        self.status: int | None = None
        self._table = table
        self._call = OutgoingCall(table.transport, self._record, "GET", path, {}, correlation=name)
        self._flow = table.auth.auth_flow(Request("GET", path))
        self._message: Request | None = next(self._flow)
        self._about: dict[str, Any] = {}
        self._answer: Any = None
        self._arrival: dict[str, Any] = {}

    def send(self) -> None:
        """Send the message that waits.

        A message that replaces a pair is treated as `AuthClient` treats it: it waits while
        another refresh for the pair is under way, and is not sent if the store holds another
        pair by now.

        Raises:
            RuntimeError: there is no message to send.
            ServerUnreachable: no answer came.
        """
        message = self._message
        if message is None:
            raise RuntimeError(f"{self.name} has nothing to send now")
        replaced = message.replaces
        if self._waits:
            self._say("waits: a refresh for this token is under way", "warn")
            return
        if replaced is not None and replaced is not self._table.client.store.get():
            self._say("sends no refresh: the token in the store has changed", "warn")
            self._go_on(None)
            return
        again = " again" if message.purpose == "retry" else ""
        self._table.tell(self.name, f"→ {message.method} {message.path}{again}")
        self._table.refreshing = replaced or self._table.refreshing
        self._message = None
        self._about = {}
        if message.purpose == "refresh" and message.json is not None:
            # However it is signed or shared, its body contains the refresh token.
            self._about = {"kind": "refresh", **token_facts(message.json["token"])}
        seen = len(self._table.client.log)
        self._answer = self._call.send(message)
        self._trace_since(seen)

    def receive(self) -> None:
        """Give the flow its answer.

        Raises:
            RuntimeError: no response is waiting.
            ClientError: what the flow raised.
        """
        if self._answer is None:
            raise RuntimeError(f"{self.name} has no response to receive")
        answer, self._answer = self._answer, None
        seen = len(self._table.client.log)
        self._table.client.log.record("response.received", source=self.name, **self._arrival)
        self._trace_since(seen)
        status = self._arrival["status"]
        self._table.tell(self.name, f"← {status}", "ok" if status < 400 else "bad")
        if self._arrival["purpose"] == "refresh":
            self._table.refreshing = None
        self._go_on(answer)

    def finish(self) -> None:
        """Receive and send by turns until the call has ended.

        Raises:
            RuntimeError: it waits for another call's refresh.
            ClientError: what the flow raised.
        """
        while self.status is None:
            if self._waits:
                raise RuntimeError(f"{self.name} waits: another call must receive first")
            if self._answer is None:
                self.send()
            else:
                self.receive()

    def _go_on(self, answer: Any) -> None:
        try:
            self._message = self._flow.send(answer)
        except StopIteration as end:
            self._message, self.status = None, end.value.status_code
            self._say(f"has ended: the caller gets {self.status}", "muted")

    def _record(self, name: str, /, **fields: Any) -> None:
        """As the client records, but an answer has not arrived before `receive`."""
        if name == "response.received":
            self._arrival = fields
        else:
            self._table.client.log.record(name, source=self.name, **{**fields, **self._about})

    @property
    def _waits(self) -> bool:
        replaced = None if self._message is None else self._message.replaces
        return replaced is not None and replaced is self._table.refreshing

    def _trace_since(self, seen: int) -> None:
        for event in list(self._table.client.log)[seen:]:
            self._table.trace(event.source, describe(event))

    def _say(self, words: str, role: Role) -> None:
        self._table.trace(self.name, words)
        self._table.tell(self.name, words, role)

    def __repr__(self) -> str:
        return f"<SteppedCall {self.name}>"
