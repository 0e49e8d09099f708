"""The protocol: what is sent, and what follows from each answer::

    call with token ──▶ 200 ────────────────────────────────────▶ done
                   └──▶ 401 or 403 ──▶ refresh ──▶ 200 ──▶ retry ──▶ done, whatever the response
                                              └──▶ refused ──▶ the session ends: LoginRequired

Rules:

- at most one refresh and one retry for each call: you can count them below;
- a 403 `insufficient_scope` is final: a new token would have the same rights;
- no I/O and no lock. The flow yields the message to send and is sent the response; its driver
  decides how to send. `AuthClient` sends over HTTP; a lesson steps the flow by hand::

      flow = BearerAuth(store).auth_flow(Request("GET", "/home"))
      message = next(flow)             # the call, with the access token
      message = flow.send(response)    # after a 403: the refresh
      message = flow.send(response)    # after its 200: the retry
      flow.send(response)              # StopIteration: its value is the final response
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, TypeAlias

from ..clock import Clock
from ..errors import LoginRequired, ServerUnreachable

# For those who write another flow: they import everything from here.
from .answers import Response as Response
from .answers import error_code as error_code
from .answers import read_grant as read_grant
from .answers import read_token as read_token
from .answers import redirected_to, refuses_refresh, retry_after
from .store import TokenStore
from .tokens import TokenPair, refresh_window


@dataclass(frozen=True)
class Request:
    """A message to send.

    Attributes:
        method (str), path (str): such as "GET" and "/home".
        headers (Mapping[str, str]): the headers that the flow adds.
        json (Mapping | None): the body, if the flow sets one.
        purpose: "call" is the caller's request, "refresh" asks for a new access token, and
            "retry" sends the call again. "probe" comes from `AuthClient.probe`, outside the
            flow: it shows how the server answers a token.
        signed_with (TokenPair | None): the pair whose access token is in the header.
        replaces (TokenPair | None): the pair that this message renews. The driver sends one
            such message for a pair at a time, and none for a pair that has left the store.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    purpose: Literal["call", "refresh", "retry", "probe"] = "call"
    signed_with: TokenPair | None = None
    replaces: TokenPair | None = None


#: Yields messages, is sent their responses, returns the final one. A message that replaces a
#: pair may be answered with None: another call has refreshed meanwhile, so nothing was sent.
AuthFlow: TypeAlias = Generator[Request, "Response | None", "Response"]


class Auth(Protocol):
    """An auth scheme: `BearerAuth` and `ArticleAuth` are two."""

    def auth_flow(self, request: Request) -> AuthFlow:
        """Yield each message to send for a call, and return the final response."""
        ...


#: The article's server says 403 where RFC 6750, section 3.1, says 401.
EXPIRED = (401, 403)

#: RFC 6750, section 3.1: the token is valid, but its user may not do this.
NO_RIGHT = "insufficient_scope"

#: The routes that create a user and a session. They take no token, so none of their refusals is
#: an expiry.
WITHOUT_TOKEN = ("/users/register", "/users/login")


class BearerAuth:
    """Bearer tokens (RFC 6750) with refresh, over the pair in `store`.

    Args:
        store (TokenStore): holds the pair.
        clock (Clock | None): returns seconds since the epoch. With a clock, a token is refreshed
            before it expires, in the last fifth of its lifetime and at most 10 seconds early.
            Without one, it is refreshed after a refusal.

    """

    def __init__(self, store: TokenStore, *, clock: Clock | None = None) -> None:
        self._store = store
        self._clock = clock

    @property
    def clock(self) -> Clock | None:
        """The clock for refreshes ahead of expiry, if there is one."""
        return self._clock

    def auth_flow(self, request: Request) -> AuthFlow:
        """Send with the access token; on 401 or 403 refresh, store and retry once.

        Raises:
            LoginRequired: the refresh was refused, so the session has ended.
            ServerUnreachable: the server did not judge the refresh token; the session is kept.
        """
        if request.path.partition("?")[0] in WITHOUT_TOKEN:
            response = yield request
            assert response is not None
            return response
        pair = self._store.get()
        has_refreshed = False
        if pair is not None and self._nearly_over(pair):
            with suppress(ServerUnreachable):  # the call still has a valid token
                pair = yield from self._refreshed(pair)
                has_refreshed = True
        response = yield with_bearer(request, pair)
        assert response is not None
        if pair is None or has_refreshed or not may_have_expired(response):
            return response

        pair = yield from self._refreshed(pair)
        response = yield with_bearer(replace(request, purpose="retry"), pair)
        assert response is not None
        return response

    def _refreshed(self, pair: TokenPair) -> Generator[Request, Response | None, TokenPair]:
        """The pair that follows `pair`, refreshed by this call or by another."""
        answer = yield refresh_request(pair)
        if answer is not None:
            self._store_refreshed(pair, answer)
        fresh = self._store.get()
        if fresh is None or fresh.session != pair.session:
            raise LoginRequired("The session ended: log in again")
        return fresh

    def _store_refreshed(self, pair: TokenPair, answer: Response) -> None:
        """Replace the pair or end the session, unless the store holds another pair by now."""
        if refuses_refresh(answer):
            if self._store.replace(pair, None):
                raise LoginRequired("The refresh token was refused: log in again")
        elif 200 <= answer.status_code < 300:
            now = None if self._clock is None else self._clock()
            self._store.replace(pair, pair.refreshed(*read_grant(answer), now))
        else:
            raise ServerUnreachable(
                f"The refresh was answered with {answer.status_code}: "
                "you are still logged in, try again in a moment",
                retry_after(answer),
            )

    def _nearly_over(self, pair: TokenPair) -> bool:
        if self._clock is None or pair.over_at is None or pair.lifetime is None:
            return False
        return self._clock() >= pair.over_at - refresh_window(pair.lifetime)


def may_have_expired(response: Response) -> bool:
    """Whether the response refuses the token, rather than its user.

    A response from another host says nothing about the token, which was not sent there.
    """
    return (
        response.status_code in EXPIRED
        and error_code(response) != NO_RIGHT
        and not redirected_to(response)
    )


def with_bearer(request: Request, pair: TokenPair | None) -> Request:
    """The message with the access token in its header (RFC 6750, section 2.1)."""
    if pair is None:
        return request
    headers = {**request.headers, "Authorization": f"Bearer {pair.access}"}
    return replace(request, headers=headers, signed_with=pair)


def refresh_request(pair: TokenPair) -> Request:
    """The message that asks for a new access token. It carries no bearer header."""
    body = {"token": pair.refresh}
    return Request("POST", "/refresh", json=body, purpose="refresh", replaces=pair)
