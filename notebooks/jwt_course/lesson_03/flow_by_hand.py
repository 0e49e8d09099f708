"""A flow stepped by hand: made-up responses, and a walk that says where a flow goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from client_widget import LoginRequired, Request, TokenPair, TokenStore

from ..exercise import Wrong
from ..judging.answers import a
from ..judging.learners_code import told
from ..lab import WatchedStore

HOME = Request("GET", "/home")


@dataclass(frozen=True)
class MadeUpResponse:
    """A response made by hand: the three things that a flow may read.

    Attributes:
        status_code (int): such as 200.
        body (Mapping): what `json()` returns.
        headers (Mapping[str, str]): none, if not given.
    """

    status_code: int
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Mapping[str, Any]:
        """The body."""
        return self.body

    def __repr__(self) -> str:
        return f"<MadeUpResponse {self.status_code}>"


def made_up_store() -> WatchedStore:
    """A store with made-up tokens. No server issued them, so they may be shown."""
    store = WatchedStore()
    store.set(TokenPair("access-1", "refresh-1"))
    return store


class Walk:
    """One run of a learner's flow, from its first message on.

    Args:
        my_flow: `my_flow(request, store)`, a generator function.
        store (TokenStore): what it reads and writes.
        case (str): what is tried; each complaint begins with it.

    Raises:
        Wrong: the flow has no first message. So do the methods, where it is not as they say.
    """

    def __init__(self, my_flow: Any, store: TokenStore, case: str) -> None:
        self._store = store
        self._case = case
        self._flow = my_flow(HOME, store)
        if not hasattr(self._flow, "send"):
            raise Wrong(
                f"my_flow returned {a(self._flow)} instead of a generator. Does it contain a yield?"
            )
        self._message = self._went_on(None)

    def expect(self, purpose: str, access: str | None = None) -> None:
        """The message under way has this purpose, and is signed with this access token."""
        message = self._message
        if not isinstance(message, Request):
            raise self._wrong(f"it yielded a {type(message).__name__} instead of a Request")
        if message.purpose != purpose:
            raise self._wrong(
                f"its message has the purpose {message.purpose!r} instead of {purpose!r}"
            )
        wanted = ("POST", "/refresh") if purpose == "refresh" else ("GET", "/home")
        if (message.method, message.path) != wanted:
            raise self._wrong(
                f"the {purpose} is {message.method} {message.path} instead of {' '.join(wanted)}"
            )
        pair = self._store.get()
        if purpose == "refresh" and (pair is None or message.json != {"token": pair.refresh}):
            raise self._wrong(
                'the body of the refresh should be {"token": …} with the refresh token'
            )
        signed = message.headers.get("Authorization")
        if signed != (f"Bearer {access}" if access else None):
            raise self._wrong(
                f"the {purpose} has the Authorization {signed!r}; "
                f"{f'Bearer {access}' if access else 'none'} was wanted"
            )

    def answer(self, answer: MadeUpResponse) -> None:
        """It goes on after this answer, with a further message."""
        self._message = self._went_on(answer)

    def ends_with(self, answer: MadeUpResponse) -> None:
        """It ends after this answer, and returns it."""
        how, what = self._send(answer)
        if how == "yielded":
            raise self._wrong(
                f"after the {answer.status_code} it sent one more message "
                f"({getattr(what, 'purpose', '?')}); it should have ended"
            )
        if how == "raised":
            raise self._wrong(f"it raised {_told(what)}; it should have returned the response")
        if what is not answer:
            raise self._wrong("it ended, but did not return the last response")

    def raises_login_required(self, answer: MadeUpResponse) -> None:
        """It ends the session after this answer."""
        how, what = self._send(answer)
        if how == "raised" and isinstance(what, LoginRequired):
            return
        seen = {"raised": f"raised {_told(what)}", "yielded": "sent one more message"}
        raise self._wrong(f"it {seen.get(how, 'returned')}; it should have raised LoginRequired")

    def holds(self, access: str | None) -> None:
        """The store holds this access token with the refresh token of the login, or nothing."""
        pair = self._store.get()
        if access is None and pair is not None:
            raise self._wrong("the store still holds a pair; it should be empty")
        if access is not None and pair is None:
            raise self._wrong("the store is empty")
        if pair is not None and (pair.access, pair.refresh) != (access, "refresh-1"):
            raise self._wrong(
                f"the store holds {pair.access} and {pair.refresh}; {access} and refresh-1 "
                "were wanted"
            )

    def _went_on(self, answer: MadeUpResponse | None) -> Any:
        how, what = self._send(answer)
        if how == "yielded":
            return what
        after = f"after the {answer.status_code} " if answer else "before its first message "
        raise self._wrong(f"{after}it {'raised ' + _told(what) if how == 'raised' else 'ended'}")

    def _send(self, answer: MadeUpResponse | None) -> tuple[str, Any]:
        """How the flow took the answer: it yielded, returned or raised, and what."""
        try:
            return "yielded", self._flow.send(answer)
        except StopIteration as end:
            return "returned", end.value
        except Exception as error:
            return "raised", error

    def _wrong(self, words: str) -> Wrong:
        return Wrong(f"case '{self._case}': {words}.")


def _told(what: Any) -> str:
    """An error of the flow, in words."""
    return told(what) if isinstance(what, BaseException) else ""
