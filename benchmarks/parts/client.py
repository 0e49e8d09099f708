"""The client: what a request costs over a bare one, and with other people's clients."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec

import requests

from client_widget import AuthClient, EventLog, TokenPair, TokenStore

from ..plan import HERE, log_in, process
from ..table import Part, ratio
from ..turns import take_turns

#: The headers that all send beside their token, so that the server does the same work.
HEADERS = {"X-Request-ID": "bench"}


def measure(quick: bool) -> Part:
    part = Part(
        "Client",
        "`GET /home` with a valid token, one request after the other over one kept connection. "
        "The bare request is `requests.Session.get` with the header written by hand. None of them "
        "reads proxies from the environment.",
    )
    server = str(HERE / "servers.py")
    with process(sys.executable, server, secrets.token_hex(32)) as urls:
        url = urls["article"]
        token = log_in(url)[0][0]
        calls = {
            "AuthClient with its log": _ours(url, token),
            "bare requests.Session": _bare(url, token),
        }
        for name, package, make in PEERS:
            if find_spec(package):
                calls[name] = make(url, token)
            else:
                part.left_out.append(f"{name}, which is not installed (extra `bench`).")
        checked = {name: _checked(call) for name, call in calls.items()}
        times = take_turns(checked, rounds=8 if quick else 70, each=20)
    bare, ours = times["bare requests.Session"], times["AuthClient with its log"]
    for name, series in times.items():
        if series is not bare:
            budget = {"at_most": 1.04} if series is ours else {}
            part.rows.append(ratio(f"time of a request: {name} / bare", series, bare, **budget))
    for name, series in times.items():
        if series is not bare and series is not ours:
            part.rows.append(ratio(f"time of a request: ours / {name}", ours, series))
    return part


def _checked(call: Callable[[], int]) -> Callable[[], None]:
    def checked() -> None:
        assert call() == 200

    return checked


def _ours(url: str, token: str) -> Callable[[], int]:
    store = TokenStore()
    store.set(TokenPair(token, token))
    client = AuthClient(url, store=store, log=EventLog())
    return lambda: client.request("GET", "/home").status_code


def _bare(url: str, token: str) -> Callable[[], int]:
    session = requests.Session()
    session.trust_env = False
    headers = {"Authorization": f"Bearer {token}", **HEADERS}
    return lambda: session.get(f"{url}/home", headers=headers, timeout=15).status_code


def _requests_oauthlib(url: str, token: str) -> Callable[[], int]:
    from requests_oauthlib import OAuth2Session

    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # it sends tokens over https only
    session = OAuth2Session("bench", token=_grant(token), auto_refresh_url=f"{url}/refresh")
    session.trust_env = False
    return lambda: session.get(f"{url}/home", headers=dict(HEADERS), timeout=15).status_code


def _authlib(url: str, token: str) -> Callable[[], int]:
    from authlib.integrations.requests_client import OAuth2Session

    session = OAuth2Session("bench", token=_grant(token), token_endpoint=f"{url}/refresh")
    session.trust_env = False
    return lambda: session.get(f"{url}/home", headers=HEADERS, timeout=15).status_code


def _grant(token: str) -> dict[str, object]:
    return {
        "access_token": token,
        "refresh_token": token,
        "token_type": "Bearer",
        "expires_at": time.time() + 3600,
    }


PEERS = (
    ("requests-oauthlib", "requests_oauthlib", _requests_oauthlib),
    ("authlib", "authlib", _authlib),
)
