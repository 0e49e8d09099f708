"""Faults of the protocol: auth schemes, each wrong in one place.

Each is `BearerAuth` except for what is defined here. Like it, each is made with the store and the
client's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

from client_widget import (
    BearerAuth,
    LoginRequired,
    Request,
    ServerUnreachable,
    TokenPair,
    TokenStore,
)
from client_widget.protocol.auth_flow import (
    AuthFlow,
    Response,
    may_have_expired,
    read_token,
    refresh_request,
    with_bearer,
)


class FlagAuth(BearerAuth):
    """Begins no refresh while one is under way."""

    def __init__(self, store: TokenStore, *, clock: Callable[[], float]) -> None:
        super().__init__(store, clock=clock)
        self._refreshing = False

    def auth_flow(self, request: Request) -> AuthFlow:
        """Sign and send; on a refusal refresh and retry."""
        pair = self._store.get()
        response = yield with_bearer(request, pair)
        assert response is not None
        if pair is None or not may_have_expired(response):
            return response

        if self._refreshing:
            self._refreshing = False
            return response
        self._refreshing = True
        pair = yield from self._refreshed(pair)
        response = yield with_bearer(replace(request, purpose="retry"), pair)
        assert response is not None
        return response


class MuleAuth(BearerAuth):
    """Does not give up."""

    def auth_flow(self, request: Request) -> AuthFlow:
        """Sign and send; on a refusal refresh and retry."""
        pair = self._store.get()
        response = yield with_bearer(request, pair)
        assert response is not None
        while pair is not None and may_have_expired(response):
            pair = yield from self._refreshed(pair)
            response = yield with_bearer(replace(request, purpose="retry"), pair)
            assert response is not None
        return response


class DoorAuth(BearerAuth):
    """Takes each 401 and 403 for the end of a token."""

    def auth_flow(self, request: Request) -> AuthFlow:
        """Sign and send; on a refusal refresh and retry."""
        pair = self._store.get()
        response = yield with_bearer(request, pair)
        assert response is not None
        if pair is None or response.status_code not in (401, 403):
            return response

        pair = yield from self._refreshed(pair)
        response = yield with_bearer(replace(request, purpose="retry"), pair)
        assert response is not None
        return response


class MirrorAuth(BearerAuth):
    """Sends the refresh as it sends everything."""

    def auth_flow(self, request: Request) -> Generator[Request, Any, Any]:
        """Sign and send; on a refusal refresh and retry."""
        pair = self._store.get()
        response = yield with_bearer(request, pair)
        # None: another call has refreshed.
        if response is None or pair is None or not may_have_expired(response):
            return response

        answer = yield from self.auth_flow(refresh_request(pair))
        if answer is not None:
            self._store_refreshed(pair, answer)
        fresh = self._store.get()
        if fresh is None or fresh.session is not pair.session:
            raise LoginRequired("The session ended: log in again")
        response = yield with_bearer(replace(request, purpose="retry"), fresh)
        return response


class StrangerAuth(BearerAuth):
    """Retries with what is in the store."""

    def _refreshed(self, pair: TokenPair) -> Generator[Request, Response | None, TokenPair]:
        answer = yield refresh_request(pair)
        if answer is not None:  # None: another call has refreshed
            self._store_refreshed(pair, answer)
        fresh = self._store.get()
        if fresh is None:
            raise LoginRequired("The session ended: log in again")
        return fresh


class KeepsakeAuth(BearerAuth):
    """Stores the access token that a refresh brings."""

    def _store_refreshed(self, pair: TokenPair, answer: Response) -> None:
        if answer.status_code == 200:
            self._store.replace(pair, pair.with_access(read_token(answer, "accessToken")))
        else:
            super()._store_refreshed(pair, answer)


class OptimistAuth(BearerAuth):
    """Believes that all will be well in a moment."""

    def _store_refreshed(self, pair: TokenPair, answer: Response) -> None:
        if answer.status_code != 200:
            raise ServerUnreachable("The server cannot refresh now: try again in a moment")
        super()._store_refreshed(pair, answer)


class WatchAuth(BearerAuth):
    """Refreshes ahead: in the last ten seconds before `exp`."""

    def _nearly_over(self, pair: TokenPair) -> bool:
        assert self._clock is not None
        left: float = pair.access_facts["exp"] - self._clock()
        return left < 10
