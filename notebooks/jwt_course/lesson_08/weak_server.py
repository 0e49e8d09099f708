"""`WeakServer`: the weak service on a server inside this process, on loopback only."""

from __future__ import annotations

from demo_server.clock import Clock
from demo_server.emit import Emit, ignore
from demo_server.serving.local_server import LocalServer

from .weak_routes import correlated, create_weak_app
from .weak_service import Verify, Weaknesses, WeakService

_STRONG = Weaknesses()


class WeakServer(WeakService, LocalServer):
    """A small token server to be attacked.

    Args:
        weaknesses (Weaknesses): may be replaced while the server runs.
        clock (Clock): returns seconds since the epoch.
        emit: `emit(name, **fields)`, called for each event.
        name (str): one server of a name runs at a time.
        word (str): the secret, if the secret is guessable.
        verify (Verify | None): checks tokens in place of the server's own code.

    Attributes:
        app (flask.Flask): what is served.
    """

    def __init__(
        self,
        weaknesses: Weaknesses = _STRONG,
        *,
        clock: Clock,
        emit: Emit = ignore,
        name: str = "weak",
        word: str = "secret",
        verify: Verify | None = None,
    ) -> None:
        WeakService.__init__(
            self, weaknesses, clock=clock, emit=correlated(emit), word=word, verify=verify
        )
        # On loopback: no other machine may reach it.
        LocalServer.__init__(self, create_weak_app(self), kind="weak server", name=name)
