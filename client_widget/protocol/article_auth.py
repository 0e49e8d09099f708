"""The article's interceptor, kept as its logic is written, to be compared with ours.

It has two faults:

- `refresh` is raised when a refresh begins and is not lowered when it succeeds, so every
  second expiry fails: 200, 403, 200, 403 …
- the flag belongs to the interceptor, not to a call: of calls that expire together the
  first refreshes, the next finds the flag up and fails, and so on.

Two more things to see: the refresh goes through the interceptor itself, so it is signed
with the expired token; and a refused refresh leaves both tokens in the store.
"""

from __future__ import annotations

from dataclasses import replace

from .auth_flow import AuthFlow, Request, read_token, refresh_request, with_bearer
from .store import TokenStore


class ArticleAuth:
    """The same interface as `BearerAuth`, with the article's logic."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store
        self.refresh = False

    def auth_flow(self, request: Request) -> AuthFlow:
        """Sign and send; on 403 refresh and retry, if the flag is down."""
        pair = self._store.get()
        response = yield with_bearer(request, pair)
        assert response is not None
        if pair is None or response.status_code < 400:
            return response

        if response.status_code == 403 and not self.refresh:
            self.refresh = True
            # A request like any other: nothing tells a driver that others could share it.
            own_refresh = replace(refresh_request(pair), replaces=None)
            answer = yield from self.auth_flow(own_refresh)
            if answer.status_code >= 400:
                return answer
            fresh = pair.with_access(read_token(answer, "accessToken"))
            self._store.set(fresh)
            response = yield with_bearer(replace(request, purpose="retry"), fresh)
            assert response is not None
            return response

        self.refresh = False
        return response
