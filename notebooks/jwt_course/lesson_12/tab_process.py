"""One process with a client, as `processes` starts it: a URL, a token file, and how it stores.

It says `ready`, then `refused` when it is about to refresh, and waits for a line. At the end it
says `page` or `no page`.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from client_widget import AuthClient, ClientError, Request, TokenStore

MEMORY, FILE, CRASH = "own memory", "one file", "crash"


def client_of(url: str, path: str, how: str) -> AuthClient:
    """A client over the file, or over a copy of it in its own memory."""
    store = TokenStore(path)
    if how == MEMORY:
        pair, store = store.get(), TokenStore()
        assert pair is not None
        store.set(pair)
    return AuthClient(url, store=store)


def page_of(client: AuthClient) -> str:
    """What came of a visit to the home page."""
    try:
        client.home()
    except ClientError:
        return "no page"
    return "page"


def _say(word: str) -> None:
    print(word, flush=True)


def main(url: str, path: str, how: str) -> None:
    """Visit the home page once."""
    client = client_of(url, path, how)

    def at_the_gate(message: Request) -> Request:
        if message.purpose == "refresh":
            _say("refused")
            sys.stdin.readline()
        return message

    def die(*_: Any) -> bool:
        os._exit(1)

    client.before_send = at_the_gate
    if how == CRASH:
        client.store.replace = die  # type: ignore  # it has the new pair
    _say("ready")
    _say(page_of(client))


if __name__ == "__main__":
    main(*sys.argv[1:])
