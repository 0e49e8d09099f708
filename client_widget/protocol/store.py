"""The token store: where a client keeps its pair, in memory or in a file."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from ..errors import StoreError
from .tokens import TokenPair

#: How many pairs a store can still find by fingerprint. A class session shows about ten.
REMEMBERED = 32


class TokenStore:
    """Holds one `TokenPair` or nothing, as the article's `localStorage` does.

    Args:
        path (str | os.PathLike | None): a file that keeps the pair across restarts, readable
            only by its owner (mode 0600). One process at a time may use a file. Without a
            path, the pair is kept in memory.

    Raises:
        StoreError: the file exists and does not hold a pair, or cannot be read or written.

    Safe under threads.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._path = None if path is None else Path(path)
        self._lock = threading.Lock()
        self._pair = None if self._path is None else _read(self._path)
        self._postponed: tuple[object, float, float] = (None, 0.0, 0.0)
        self._past = deque([self._pair] if self._pair else [], maxlen=REMEMBERED)

    def get(self) -> TokenPair | None:
        """The pair, the same object until it is replaced."""
        return self._pair

    def set(self, pair: TokenPair) -> None:
        """Hold `pair` instead of whatever was there."""
        with self._lock:
            self._put(pair)

    def clear(self) -> None:
        """Hold nothing."""
        with self._lock:
            self._put(None)

    def replace(self, old: TokenPair, new: TokenPair | None) -> bool:
        """Hold `new` if `old` is still there, and return whether it was.

        A refresh that completes after a logout, or after a login as another user, must not
        restore the old session.
        """
        with self._lock:
            if self._pair is not old:
                return False
            self._put(new)
            return True

    def postpone_refresh(self, pair: TokenPair, now: float, seconds: float) -> None:
        """Remember that the server asked to send no refresh of this session for a time.

        Args:
            pair (TokenPair): whose refresh was answered so.
            now (float): seconds since the epoch, on the clients' clock.
            seconds (float): how long to wait (`Retry-After`).
        """
        self._postponed = (pair.session, now, now + seconds)

    def refresh_wait(self, pair: TokenPair, now: float) -> float:
        """Seconds until a refresh of this session may be sent; 0 if it may be sent now."""
        session, since, until = self._postponed
        # A time before `since` means that the clock was set back: then the wait says nothing.
        return until - now if session is pair.session and since <= now < until else 0.0

    def find(self, fingerprint: str) -> str | None:
        """A token of one of the last pairs, by its fingerprint; in memory only."""
        with self._lock:
            for pair in reversed(self._past):
                if pair.access_facts["token"] == fingerprint:
                    return pair.access
                if pair.refresh_facts["token"] == fingerprint:
                    return pair.refresh
        return None

    def _put(self, pair: TokenPair | None) -> None:
        # Memory first: if the disk is full, the session continues in memory.
        self._pair = pair
        if pair is not None:
            self._past.append(pair)
        if self._path is None:
            return
        try:
            if pair is None:
                self._path.unlink(missing_ok=True)
            else:
                _write(self._path, {"accessToken": pair.access, "refreshToken": pair.refresh})
        except OSError as error:
            raise StoreError(
                f"The token file {self._path.name} cannot be written ({error.strerror}): the "
                "session goes on in memory, and will not survive a restart"
            ) from None

    def __repr__(self) -> str:
        kind = "memory" if self._path is None else "file"
        return f"<TokenStore in {kind}, {'empty' if self._pair is None else 'one pair'}>"


def _read(path: Path) -> TokenPair | None:
    try:
        document = json.loads(path.read_bytes())
        access, refresh = document["accessToken"], document["refreshToken"]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, RecursionError):
        access = refresh = None
    except OSError as error:
        raise StoreError(
            f"The token file {path.name} cannot be read ({error.strerror}): "
            "fix its permissions or choose another path"
        ) from None
    if not (isinstance(access, str) and isinstance(refresh, str)):
        raise StoreError(
            f"The token file {path.name} does not hold two tokens: "
            "delete it and log in again, or choose another path"
        )
    return TokenPair(access, refresh)


def _write(path: Path, document: Mapping[str, str]) -> None:
    """Replace the file atomically: a crash leaves the old pair or the new one."""
    # mkstemp makes the file with mode 0600.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
