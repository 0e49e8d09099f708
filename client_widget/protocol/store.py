"""The token store: where clients keep their pair, in memory or in a file."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from ..errors import RefreshPending, ServerUnreachable, StoreError, TokensNotDeleted, TokensNotSaved
from .single_flight import Flight, SingleFlight, never
from .token_file import Busy, Saved, TokenFile
from .tokens import TokenPair

T = TypeVar("T")

#: Stands for whatever a store holds.
_ANY: Any = object()

#: How many pairs a store can still find by fingerprint. A class session shows about ten.
REMEMBERED = 32


class _State:
    """What a store held at one time, and the state that followed.

    Of all that want to follow a state, one does: `dict.setdefault` is atomic. So a store needs no
    lock, which an interrupt could leave locked.
    """

    def __init__(self, pair: TokenPair | None) -> None:
        self.pair = pair
        self._next: dict[str, _State] = {}

    def followed_by(self, state: _State) -> bool:
        return self._next.setdefault("next", state) is state

    def last(self) -> _State:
        state = self
        while state._next:
            state = state._next["next"]
        return state


class TokenStore:
    """Holds one `TokenPair` or nothing, as the article's `localStorage` does.

    Args:
        path (str | os.PathLike | None): a file that keeps the pair across restarts, readable
            only by its owner (mode 0600). Processes may share it: one of them refreshes, and the
            others adopt its tokens. Without a path, the pair is kept in memory.

    Attributes:
        refreshes (SingleFlight): the refreshes under way, shared by all clients of the store.

    Raises:
        StoreError: the file exists and cannot be read, is not a regular file that only this user
            can read (mode 0600), or does not hold a pair.

    Safe under threads, interrupts and forks.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.refreshes = SingleFlight()
        self._postponed: tuple[object, float, float, float] = (None, 0.0, 0.0, 0.0)
        self._file = None if path is None else TokenFile(Path(path))
        self._state = _State(None)
        self._past: deque[TokenPair] = deque(maxlen=REMEMBERED)
        # What the file held when this store last read or wrote it.
        self._seen: Saved | None = None
        self._adopt()

    def get(self) -> TokenPair | None:
        """The pair, the same object until it is replaced."""
        return self._state.last().pair

    def set(self, pair: TokenPair) -> None:
        """Hold `pair` instead of whatever was there.

        Raises:
            TokensNotSaved: the pair is held, but the file cannot be written.
        """
        self._put(_ANY, pair)

    def clear(self) -> None:
        """Hold nothing.

        Raises:
            TokensNotDeleted: nothing is held, but the file cannot be deleted.
        """
        self._put(_ANY, None)

    def replace(self, old: TokenPair, new: TokenPair | None) -> bool:
        """Hold `new` if `old` is still there, and return whether it was.

        A refresh that completes after a logout, or after a login as another user, must not
        restore the old session. The login may have been in another process, if there is a file.

        Raises:
            TokensNotSaved, TokensNotDeleted: as in `set` and `clear`; the pair is replaced.
        """
        return self._put(old, new)

    def refresh_once(
        self,
        pair: TokenPair,
        lead: Callable[[Flight], T],
        follow: Callable[[ServerUnreachable | None], T],
        *,
        patience: float,
        is_paused: Callable[[], bool] = never,
    ) -> T:
        """Refresh `pair`, or wait for the client or the process that does.

        The arguments are those of `SingleFlight.run`.

        Raises:
            Deadlock: this thread is refreshing already, and would wait for itself.
            StoreError: the file cannot be read.
        """

        def is_needed() -> bool:
            return self.get() is pair

        def lead_alone(flight: Flight) -> T:
            if self._file is None:
                return lead(flight)
            file = self._file
            try:
                return file.during_a_refresh(lambda: adopt_and_lead(file, flight), patience)
            except Busy:
                flight.error = RefreshPending(
                    "Another process is refreshing the tokens and does not finish: you are still "
                    "logged in, try again in a moment"
                )
            return follow(flight.error)

        def adopt_and_lead(file: TokenFile, flight: Flight) -> T:
            file.during_a_change(self._adopt)
            return lead(flight) if is_needed() else follow(None)

        # Those that wait give another process as long as their leader does, and then their leader.
        patience_in_all = patience if self._file is None else 2 * patience
        return self.refreshes.run(
            pair, is_needed, lead_alone, follow, patience=patience_in_all, is_paused=is_paused
        )

    def postpone_refresh(self, pair: TokenPair, now: float, seconds: float) -> None:
        """Remember that the server asked to send no refresh of this session for a time.

        Args:
            pair (TokenPair): whose refresh was answered so.
            now (float): seconds since the epoch, on the clients' clock.
            seconds (float): how long to wait (`Retry-After`).
        """
        self._postponed = (pair.session, seconds, now, time.monotonic())

    def refresh_wait(self, pair: TokenPair, now: float) -> float:
        """Seconds until a refresh of this session may be sent; 0 if it may be sent now.

        The wait ends on the clients' clock or in real time, whichever is first: a lesson's clock
        can be moved, and it can stand still.
        """
        session, seconds, since, since_really = self._postponed
        gone = max(now - since, time.monotonic() - since_really)
        # A clock that was set back says nothing about the wait.
        return max(0.0, seconds - gone) if session == pair.session and now >= since else 0.0

    def find(self, fingerprint: str) -> str | None:
        """A token of one of the last pairs, by its fingerprint; in memory only."""
        for pair in reversed(self._past.copy()):
            if pair.access_facts["token"] == fingerprint:
                return pair.access
            if pair.refresh_facts["token"] == fingerprint:
                return pair.refresh
        return None

    def _hold(self, old: TokenPair | None, new: TokenPair | None) -> bool:
        """Hold `new` in memory, if `old` is still there."""
        after = _State(new)
        while True:
            state = self._state.last()
            if old is not _ANY and state.pair is not old:
                return False
            if state.followed_by(after):
                self._state = after
                if new is not None:
                    self._past.append(new)
                return True

    def _put(self, old: TokenPair | None, new: TokenPair | None) -> bool:
        """Hold `new` in memory, then in the file, even if the file cannot be used."""
        if self._file is None:
            return self._hold(old, new)
        file, held = self._file, False

        def change() -> bool:
            nonlocal held
            if old is not _ANY:
                # What cannot be read was not written by a store, and is replaced.
                with suppress(StoreError):
                    self._adopt()
            held = self._hold(old, new)
            if held:
                self._save(file)
            return held

        try:
            return file.during_a_change(change)
        except OSError as error:
            if not held and not self._hold(old, new):
                return False
            raise _not_done(file.path.name, new, error) from None

    def _save(self, file: TokenFile) -> None:
        pair = self.get()
        saved = None if pair is None else Saved(pair.access, pair.refresh, pair.session)
        if saved is None:
            file.delete()
        else:
            file.write(saved)
        self._seen = saved

    def _adopt(self) -> None:
        """Hold what another process has written since this store last looked."""
        found = None if self._file is None else self._file.read()
        if found == self._seen:
            return
        held = self.get()
        if found is None:
            self._hold(held, None)
        elif held is None or found.session != held.session:
            self._hold(held, TokenPair(*found))
        elif found[:2] != (held.access, held.refresh):
            self._hold(held, held.refreshed(found.access, found.refresh))
        self._seen = found

    def __repr__(self) -> str:
        kind = "memory" if self._file is None else "file"
        return f"<TokenStore in {kind}, {'empty' if self.get() is None else 'one pair'}>"


def _not_done(name: str, new: TokenPair | None, error: OSError) -> StoreError:
    why = error.strerror or str(error)
    if new is None:
        return TokensNotDeleted(
            f"The token file {name} cannot be deleted ({why}): the session has ended here, but a "
            "restart would resume it. Delete the file by hand"
        )
    return TokensNotSaved(
        f"The token file {name} cannot be written ({why}): the session goes on in memory, and "
        "will not survive a restart"
    )
