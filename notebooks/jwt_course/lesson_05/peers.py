"""Other libraries in the same stampede, each with its own refresh, locks and refresh window.

They speak OAuth 2.0 (RFC 6749, section 6); the demo server uses the article's names. `Edge`, an
adapter for requests, translates between the two, and the libraries stay unchanged. A library that
is not installed is left out.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from requests.adapters import HTTPAdapter

from client_widget import AuthClient, EventLog
from demo_server import DemoClock, DemoServer, ServerConfig

from ..concurrency import Race
from ..lab import pair_of
from .stampede import USER, StampedeResult, counted, refreshes_in

#: The server's address, as the libraries see it. Some of them only send tokens over https; the edge
#: redirects their requests to the demo server, so nothing leaves this machine.
ORIGIN = "https://lab.example"
HOME, REFRESH = f"{ORIGIN}/home", f"{ORIGIN}/refresh"


@dataclass(frozen=True)
class PeerTokens:
    """The tokens that a library starts with.

    Attributes:
        access, refresh (str): the tokens.
        expires_at (int): when the access token expires according to the library, in seconds
            since the epoch, on the wall clock.
        lifetime (int): of an access token, in seconds.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: int
    lifetime: int


@dataclass(frozen=True)
class Caller:
    """A library, ready to call.

    Attributes:
        call: `GET /home` through the library; returns the status.
        window (float): how long before its expiry the library refreshes a token by default,
            in seconds.
    """

    call: Callable[[], int]
    window: float


class Edge(HTTPAdapter):
    """Sends what a library sends, to the demo server and in its words.

    Args:
        url (str): the server's.
        log (EventLog): records each refresh.
        lifetime (int): of an access token, in seconds; the server's answer does not say it.

    Attributes:
        refresh, answer (Gate): hold the refreshes, and the answers to them.
    """

    def __init__(self, url: str, log: EventLog, lifetime: int, race: Race) -> None:
        super().__init__(pool_maxsize=64)
        self._url = url
        self._lifetime = lifetime
        self._record = log.emitter("peer")
        self.refresh, self.answer = race.gate(), race.gate()

    def session(self, session: Any = None) -> Any:
        """A session of requests that sends through this edge."""
        session = requests.Session() if session is None else session
        session.trust_env = False  # a proxy cannot reach the loopback of this machine
        session.mount(ORIGIN, self)
        return session

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        """Send a message of a library."""
        path = urlsplit(request.url or "").path
        if path != "/refresh":
            request.url = f"{self._url}{path}"
            return super().send(request, **options)

        token = parse_qs(_text(request.body))["refresh_token"][0]
        self.refresh.wait()
        self._record("request.sent", path=path)
        message = requests.Request("POST", f"{self._url}{path}", json={"token": token})
        response = super().send(message.prepare(), **options)
        self.answer.wait()
        return response if response.status_code >= 400 else self._in_oauth(response)

    def _in_oauth(self, response: requests.Response) -> requests.Response:
        """The answer by the names of RFC 6749, section 5.1."""
        body = response.json()
        names = {
            "access_token": body["accessToken"],
            "refresh_token": body["refreshToken"],
            "token_type": "Bearer",
            "expires_in": self._lifetime,
        }
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = 200, REFRESH, response.request
        answer.headers["Content-Type"] = "application/json"
        answer.raw = io.BytesIO(json.dumps(names).encode())
        return answer


def _requests_oauthlib(edge: Edge, tokens: PeerTokens) -> Caller:
    session = edge.session(
        import_module("requests_oauthlib").OAuth2Session(
            "lab", token=_oauth(tokens), auto_refresh_url=REFRESH, token_updater=_kept
        )
    )
    return Caller(lambda: int(session.get(HOME).status_code), window=0.0)


def _authlib(edge: Edge, tokens: PeerTokens) -> Caller:
    session = edge.session(
        import_module("authlib.integrations.requests_client").OAuth2Session(
            "lab", token=_oauth(tokens), token_endpoint=REFRESH, update_token=_kept
        )
    )
    return Caller(lambda: int(session.get(HOME).status_code), window=session.leeway)


def _google_auth(edge: Edge, tokens: PeerTokens) -> Caller:
    transport = import_module("google.auth.transport.requests")
    credentials = import_module("google.oauth2.credentials").Credentials(
        tokens.access,
        refresh_token=tokens.refresh,
        token_uri=REFRESH,
        client_id="lab",
        client_secret="none",
        expiry=datetime.fromtimestamp(tokens.expires_at, UTC).replace(tzinfo=None),
    )
    asks = transport.Request(edge.session())
    session = edge.session(transport.AuthorizedSession(credentials, auth_request=asks))
    window = import_module("google.auth._helpers").REFRESH_THRESHOLD.total_seconds()
    return Caller(lambda: int(session.get(HOME).status_code), window=window)


def _botocore(edge: Edge, tokens: PeerTokens) -> Caller:
    session, held = edge.session(), [tokens.refresh]

    def refresh() -> dict[str, str]:
        form = {"grant_type": "refresh_token", "refresh_token": held[0]}
        answer = session.post(REFRESH, data=form)
        answer.raise_for_status()
        body = answer.json()
        held[0] = body["refresh_token"]
        return _metadata(body["access_token"], time.time() + body["expires_in"])

    credentials = import_module("botocore.credentials").RefreshableCredentials.create_from_metadata(
        _metadata(tokens.access, tokens.expires_at), refresh_using=refresh, method="lab"
    )

    def call() -> int:
        token = credentials.get_frozen_credentials().token
        return int(session.get(HOME, headers={"Authorization": f"Bearer {token}"}).status_code)

    return Caller(call, window=credentials._advisory_refresh_timeout)


#: The libraries by their names as distributions.
PEERS: Mapping[str, Callable[[Edge, PeerTokens], Caller]] = {
    "requests-oauthlib": _requests_oauthlib,
    "authlib": _authlib,
    "google-auth": _google_auth,
    "botocore": _botocore,
}


def _kept(*_: Any, **__: Any) -> None:
    """A library calls this with its new tokens; it keeps them itself."""


def _oauth(tokens: PeerTokens) -> dict[str, Any]:
    return {
        "access_token": tokens.access,
        "refresh_token": tokens.refresh,
        "token_type": "Bearer",
        "expires_at": tokens.expires_at,
    }


def _metadata(access: str, expires_at: float) -> dict[str, str]:
    until = datetime.fromtimestamp(expires_at, UTC)
    return {
        "access_key": "lab",
        "secret_key": "none",
        "token": access,
        "expiry_time": until.isoformat(),
    }


def _text(body: Any) -> str:
    return body.decode() if isinstance(body, bytes) else str(body or "")


def run_peer(name: str, calls: int = 20) -> StampedeResult | None:
    """A stampede of `calls` threads through a library, on a server with rotation.

    The tokens last an hour, so that a new one is outside of every library's refresh window.

    Args:
        name (str): one of `PEERS`.
        calls (int): how many threads.

    Returns:
        StampedeResult | None: None if the library is not installed.
    """
    with peer(name, lifetime=3600, expired=True) as (caller, edge, log, race):
        if caller is None:
            return None
        ends = [race.call(caller.call) for _ in range(calls)]
        with race:
            for gate in (edge.refresh, edge.answer):
                race.settle()
                gate.open()
        return counted(ends, log)


def refreshes_of(name: str, calls: int = 5, lifetime: int = 60) -> tuple[float, int] | None:
    """How often a library refreshes a new token, because of its default window.

    Args:
        name (str): one of `PEERS`.
        calls (int): how many calls, one after the other, within a moment.
        lifetime (int): of an access token, in seconds.

    Returns:
        tuple[float, int] | None: the window in seconds, and how many refreshes the calls cost;
            None if the library is not installed.
    """
    with peer(name, lifetime=lifetime, expired=False) as (caller, edge, log, _):
        if caller is None:
            return None
        edge.refresh.open()
        edge.answer.open()
        for _ in range(calls):
            caller.call()
        return caller.window, refreshes_in(log)


@contextmanager
def peer(
    name: str, *, lifetime: int, expired: bool
) -> Iterator[tuple[Caller | None, Edge, EventLog, Race]]:
    """A library with the tokens of a new login, on a new server."""
    # The libraries read the wall clock, so the server's clock starts there, and is then moved.
    clock = DemoClock(start=int(time.time()), rate=0)
    log = EventLog(clock=clock)
    config = ServerConfig(
        policy="rfc", access_token_ttl=lifetime, refresh_token_ttl=100 * lifetime, bcrypt_cost=4
    )
    with DemoServer(config, clock=clock, emit=log.emitter("server"), name="peers") as server:
        client = AuthClient(server.url, log=log, clock=clock)
        client.register(*USER)
        client.login(*USER)
        pair = pair_of(client)
        if expired:
            clock.advance(lifetime + 1)
        expires_at = int(time.time()) + (-1 if expired else lifetime)
        race = Race(progress=log.__len__)
        edge = Edge(server.url, log, lifetime, race)
        tokens = PeerTokens(pair.access, pair.refresh, expires_at, lifetime)
        try:
            caller = PEERS[name](edge, tokens)
        except ImportError:
            caller = None
        yield caller, edge, log, race
        edge.close()
