"""The protocol: what is sent, and what follows from each answer.

    call, signed ──▶ 200 ─────────────────────────────▶ done
                └──▶ 403 ──▶ refresh ──▶ 200 ──▶ retry ──▶ done, whatever the answer
                                    └──▶ refused ──▶ the session ends: LoginRequired

Rules:
- one refresh and one retry for each call, at most: they can be counted in the code below;
- no I/O and no lock. The flow yields the message to send and is sent the answer; whoever
  drives it decides how. `AuthClient` sends over HTTP; a lesson can do it by hand:

      flow = BearerAuth(store).auth_flow(Request("GET", "/home"))
      message = next(flow)             # the call, signed
      message = flow.send(answer)      # after a 403: the refresh
      message = flow.send(answer)      # after its 200: the retry
      flow.send(answer)                # StopIteration: its value is the final answer
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, TypeAlias

from .errors import LoginRequired, ServerUnreachable
from .tokens import TokenPair, TokenStore


class Response(Protocol):
    """What the flow reads of an answer: those of requests and of httpx will do."""

    @property
    def status_code(self) -> int: ...

    def json(self) -> Any: ...


@dataclass(frozen=True)
class Request:
    """A message to send.

    Attributes:
        method (str), path (str): such as "GET" and "/home".
        headers (Mapping[str, str]): those that the flow adds.
        json (Mapping | None): the body, where the flow gives one.
        purpose: "call" is the caller's request, "refresh" asks for a new access token,
            "retry" is the call once more. "probe" is none of the flow's: `AuthClient.probe`
            asks with it what the server makes of a token.
        signed_with (TokenPair | None): whose access token is in the header.
        replaces (TokenPair | None): whose access token the message is to renew. Whoever
            drives the flow sends one such message for a pair at a time, and none for a pair
            that the store no longer holds.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    purpose: Literal["call", "refresh", "retry", "probe"] = "call"
    signed_with: TokenPair | None = None
    replaces: TokenPair | None = None


#: Yields messages, is sent their answers, returns the final one. A message that replaces a
#: pair may be answered with None: another call did it meanwhile, so nothing was sent.
AuthFlow: TypeAlias = Generator[Request, "Response | None", "Response"]

EXPIRED = 403
NOT_NOW = (429, 502, 503, 504)


class BearerAuth:
    """Bearer tokens (RFC 6750) with refresh, over the pair in `store`."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store

    def auth_flow(self, request: Request) -> AuthFlow:
        """Sign and send; on 403 refresh, store and retry once.

        Raises:
            LoginRequired: the refresh was refused: the session is over.
            ServerUnreachable: the server could not refresh now; the session is kept.
        """
        pair = self._store.get()
        response = yield sign(request, pair)
        assert response is not None
        if pair is None or response.status_code != EXPIRED:
            return response

        answer = yield refresh_request(pair)
        if answer is not None:
            self._store_refreshed(pair, answer)

        fresh = self._store.get()
        if fresh is None or fresh.session is not pair.session:
            raise LoginRequired("The session ended: log in again")
        response = yield sign(replace(request, purpose="retry"), fresh)
        assert response is not None
        return response

    def _store_refreshed(self, pair: TokenPair, answer: Response) -> None:
        """Replace the pair, or end the session, unless it changed hands meanwhile."""
        if answer.status_code == 200:
            self._store.replace(pair, pair.with_access(read_token(answer, "accessToken")))
        elif answer.status_code in NOT_NOW:
            raise ServerUnreachable(
                f"The refresh was answered with {answer.status_code}: "
                "you are still logged in, try again in a moment"
            )
        elif self._store.replace(pair, None):
            raise LoginRequired("The refresh token was refused: log in again")


def sign(request: Request, pair: TokenPair | None) -> Request:
    """The message with the access token in its header (RFC 6750, section 2.1)."""
    if pair is None:
        return request
    headers = {**request.headers, "Authorization": f"Bearer {pair.access}"}
    return replace(request, headers=headers, signed_with=pair)


def refresh_request(pair: TokenPair) -> Request:
    """The message that asks for a new access token. It is not signed."""
    body = {"token": pair.refresh}
    return Request("POST", "/refresh", json=body, purpose="refresh", replaces=pair)


def read_token(answer: Response, name: str) -> str:
    """A token of an answer.

    Raises:
        ServerUnreachable: there is none, so this is not the server that we know.
    """
    try:
        token = answer.json()[name]
    except (ValueError, KeyError, TypeError):
        token = None
    if not isinstance(token, str) or not token:
        raise ServerUnreachable(f"The answer holds no {name}: is base_url the demo server's?")
    return token
