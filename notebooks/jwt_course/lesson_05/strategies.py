"""What a client can do when many of its calls meet one expired token.

Each strategy is an auth scheme for `AuthClient`, like `BearerAuth` and `ArticleAuth`. Those that
differ only in which call refreshes and which calls wait share one flow, `CoordinatedAuth`; a
coordinator decides:

    begin(pair) ──▶ True:  this call refreshes, and end(fresh) says how it went
               └──▶ False: another call has refreshed; take what is in the store
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

from client_widget import ArticleAuth, BearerAuth, LoginRequired, Request, TokenPair, TokenStore
from client_widget.protocol.auth_flow import (
    Auth,
    AuthFlow,
    Response,
    may_have_expired,
    read_grant,
    refresh_request,
    with_bearer,
)

#: Makes the auth scheme of one client from its store.
Strategy: TypeAlias = Callable[[TokenStore], Auth]


class Coordinator(Protocol):
    """Decides which of the refused calls refreshes. Used by many threads at once."""

    def begin(self, pair: TokenPair) -> bool:
        """A call that was signed with `pair` was refused. Must it refresh?

        May wait for another call's refresh, and then returns False.
        """

    def end(self, fresh: TokenPair | None) -> None:
        """The refresh has ended, and its pair is in the store; None: it was refused."""


class CoordinatedAuth:
    """Sign, send, refresh if the coordinator says so, retry once.

    Attributes:
        coordinator (Coordinator): as given.
    """

    def __init__(self, store: TokenStore, coordinator: Coordinator) -> None:
        self._store = store
        self.coordinator = coordinator

    def auth_flow(self, request: Request) -> AuthFlow:
        """The flow of one call.

        Raises:
            LoginRequired: the refresh was refused, this call's own or the one it waited for.
        """
        pair = self._store.get()
        response = yield with_bearer(request, pair)
        assert response is not None
        if pair is None or not may_have_expired(response):
            return response

        mine = self.coordinator.begin(pair)
        fresh = (yield from self._refreshed()) if mine else self._store.get()
        if fresh is None:
            raise LoginRequired("The refresh was refused: log in again")
        response = yield with_bearer(replace(request, purpose="retry"), fresh)
        assert response is not None
        return response

    def _refreshed(self) -> Generator[Request, Response | None, TokenPair | None]:
        """The new pair, stored; None if the refresh was refused."""
        held, fresh = self._store.get(), None
        try:
            if held is not None:
                # It replaces nothing, or `AuthClient` would share it among the calls by itself.
                answer = yield replace(refresh_request(held), replaces=None)
                assert answer is not None
                if answer.status_code == 200:
                    fresh = held.refreshed(*read_grant(answer))
                    self._store.set(fresh)
                else:
                    self._store.replace(held, None)
        finally:
            self.coordinator.end(fresh)
        return fresh


class EachForItself:
    """No coordination: every refused call refreshes."""

    def begin(self, pair: TokenPair) -> bool:
        """Always."""
        return True

    def end(self, fresh: TokenPair | None) -> None:
        """No call waits for it."""


class CommonQueue:
    """The queue of many interceptors: a flag, and a subject on which the token is published.

    The first refused call refreshes. The others subscribe, and go on when a token is published.
    It has two faults:

    - a refused refresh publishes nothing, so the others wait forever;
    - a call that is refused after the publication finds the flag down, and refreshes again.
    """

    def __init__(self) -> None:
        self._subject = threading.Condition()
        self._refreshing = False
        self._published = 0

    def begin(self, pair: TokenPair) -> bool:
        """True for the first; the others wait here."""
        with self._subject:
            if not self._refreshing:
                self._refreshing = True
                return True
            seen = self._published
            while self._published == seen:
                self._subject.wait()
            return False

    def end(self, fresh: TokenPair | None) -> None:
        """Lower the flag, and publish the token if there is one."""
        with self._subject:
            self._refreshing = False
            if fresh is not None:
                self._published += 1
                self._subject.notify_all()


class FlagAuth(ArticleAuth):
    """The article's flag. It only knows 403, so it is shown a 401 as a 403."""

    def auth_flow(self, request: Request) -> AuthFlow:
        """The article's flow, on a server of either policy."""
        flow = super().auth_flow(request)
        message = next(flow)
        while True:
            answer = yield message
            if answer is not None and answer.status_code == 401:
                answer = _Forbidden(answer)
            try:
                message = flow.send(answer)
            except StopIteration as end:
                response: Response = end.value
                return response


@dataclass(frozen=True)
class _Forbidden:
    """A response with its status changed to 403."""

    answer: Response
    status_code: int = 403

    @property
    def headers(self) -> Mapping[str, str]:
        return self.answer.headers

    def json(self) -> Any:
        return self.answer.json()


def coordinated(make: Callable[[TokenStore], Coordinator]) -> Strategy:
    """The strategy that `make(store)` coordinates."""
    return lambda store: CoordinatedAuth(store, make(store))


#: The strategies that the lesson compares, by name.
STRATEGIES: Mapping[str, Strategy] = {
    "each for itself": coordinated(lambda _: EachForItself()),
    "the article's flag": FlagAuth,
    "the common queue": coordinated(lambda _: CommonQueue()),
    "single flight (ours)": BearerAuth,
}
