"""`WeakServer`: the weak service on a server inside this process, on loopback only."""

from __future__ import annotations

from demo_server.clock import Clock
from demo_server.emit import Emit, ignore
from demo_server.registry import registry_of
from demo_server.wsgi import WsgiServer

from .weak_routes import correlated, create_weak_app
from .weak_service import Verify, Weaknesses, WeakService

_STRONG = Weaknesses()

# Its own, so that a server of another kind may have the same name.
_running = registry_of("weak server")


class WeakServer(WeakService):
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
        super().__init__(weaknesses, clock=clock, emit=correlated(emit), word=word, verify=verify)
        self.name = name
        self.app = create_weak_app(self)
        self._http: WsgiServer | None = None

    @property
    def url(self) -> str:
        """`http://127.0.0.1:port`.

        Raises:
            RuntimeError: the server is not running.
        """
        if self._http is None:
            raise RuntimeError("The weak server is not running: call start() first")
        return f"http://127.0.0.1:{self._http.port}"

    def start(self) -> WeakServer:
        """Listen on loopback, in place of the running server of its name; returns the server."""
        with _running.lock:
            _running.stop(self.name)
            # The address is fixed: no other machine may reach this server.
            self._http = WsgiServer(self.app, "127.0.0.1", 0, self.name)
            _running.add(self.name, self)
        return self

    def stop(self) -> None:
        """Stop within a second."""
        with _running.lock:
            if self._http is not None:
                self._http.close()
                self._http = None
                _running.remove(self.name)

    def __repr__(self) -> str:
        return f"<WeakServer {self.name!r}, {'stopped' if self._http is None else 'running'}>"
