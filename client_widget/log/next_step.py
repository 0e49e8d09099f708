"""Which button continues the story: the panel marks it for those who do not know where to begin.

The story: register, log in, open the home page, let the access token expire, open the home page
again (refresh and retry), let both tokens expire, open the home page (the session ends), log in.

The next step follows from the token store and the log alone, so cells and the tour move it, too.
"""

from __future__ import annotations

from ..protocol.tokens import TokenPair
from .event import Event


class NextStep:
    """Follows the events of one client.

    Args:
        source (str): the client's name in the log.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._registered = False
        self._visited = self._refreshed = False  # in this session

    def take(self, event: Event) -> None:
        """Follow an event; those of other sources change nothing."""
        if event.source != self._source:
            return
        if event.name in ("session.started", "session.ended"):
            self._registered, self._visited, self._refreshed = True, False, False
        elif event.name == "token.refreshed":
            self._refreshed = True
        elif event.name == "response.received" and event.fields["status"] < 400:
            self._registered |= event.fields["path"] == "/users/register"
            self._visited |= event.fields["path"] == "/home"

    def button(self, pair: TokenPair | None, now: float) -> str:
        """The label of the button that continues the story.

        Args:
            pair (TokenPair | None): what the token store holds.
            now (float): in seconds since the epoch.
        """
        if pair is None:
            return "Log in" if self._registered else "Register"
        if not self._visited or pair.access_facts.get("exp", now + 1) <= now:
            return "Home"
        return "+301 s" if self._refreshed else "+61 s"
