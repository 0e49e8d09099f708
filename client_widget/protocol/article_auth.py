"""The article's interceptor with its logic unchanged, to compare with `BearerAuth`.

It has two faults:

- the flag `refresh` is set when a refresh begins and is never reset when it succeeds, so every
  second expiry fails: 200, 403, 200, 403 …
- all calls share the flag: when calls expire together, the first one refreshes, the next finds
  the flag set and fails, and so on.

Two more things to notice: the refresh goes through the interceptor itself, so it carries the
expired token; and a refused refresh leaves both tokens in the store.
"""

from __future__ import annotations

from dataclasses import replace

from .answers import read_token
from .auth_flow import AuthFlow, Request, refresh_request, with_bearer
from .store import TokenStore


class ArticleAuth:
    """The same interface as `BearerAuth`, with the article's logic."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store
        self.refresh = False

    def auth_flow(self, request: Request) -> AuthFlow:
        """Send with the access token; on 403 refresh and retry, if the flag is not set."""
        pair = self._store.get()
        response = yield with_bearer(request, pair)
        assert response is not None
        if pair is None or response.status_code < 400:
            return response

        if response.status_code == 403 and not self.refresh:
            self.refresh = True
            # An ordinary request: nothing tells the driver that calls could share it.
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
