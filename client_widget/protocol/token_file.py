"""The file of a token store: read with care, replaced atomically, locked between processes.

Two files beside it are locks. One is held for the moment of a change, the other for as long as a
refresh takes, so that a logout does not wait for a refresh.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, TypeVar

from filelock import FileLock, Timeout

from ..errors import StoreError

T = TypeVar("T")

#: Seconds to wait for another process that changes the file, which takes it milliseconds.
MOMENT = 10.0

#: More bytes than two tokens have.
LIMIT = 1 << 20


class Saved(NamedTuple):
    """What a file holds: two tokens, and the session (`TokenPair.session`) that they belong to."""

    access: str
    refresh: str
    session: str


class Busy(OSError):
    """Another process or thread has had the file for too long."""


class TokenFile:
    """A file with two tokens, which several processes may share.

    Args:
        path (Path): the file. The first write creates it, and its folder if there is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Saved | None:
        """What the file holds; None if there is no file.

        Raises:
            StoreError: it is not a regular file that only this user can read, or it does not hold
                two tokens.
        """
        name = self.path.name
        try:
            content = self._content()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(
                f"The token file {name} cannot be read ({error.strerror}): "
                "fix its permissions or choose another path"
            ) from None
        try:
            document = json.loads(content)
            access, refresh = document["accessToken"], document["refreshToken"]
            session = document.get("session")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            access = refresh = session = None
        if not (isinstance(access, str) and isinstance(refresh, str)):
            raise StoreError(
                f"The token file {name} does not hold two tokens: "
                "delete it and log in again, or choose another path"
            )
        if not isinstance(session, str):
            # Written before files named their session. All processes must give it the same name.
            session = sha256(refresh.encode(errors="replace")).hexdigest()[:16]
        return Saved(access, refresh, session)

    def write(self, saved: Saved) -> None:
        """Replace the file atomically: a crash leaves the old tokens or the new ones.

        Raises:
            OSError: it cannot be written.
        """
        document = {
            "accessToken": saved.access,
            "refreshToken": saved.refresh,
            "session": saved.session,
        }
        # mkstemp makes the file with mode 0600.
        descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(descriptor, "w") as file:
                json.dump(document, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def delete(self) -> None:
        """Delete the file, if there is one.

        Raises:
            OSError: it cannot be deleted.
        """
        self.path.unlink(missing_ok=True)

    def during_a_change(self, work: Callable[[], T]) -> T:
        """Do `work` while no other process or thread changes the file.

        Raises:
            Busy: another one has been changing it for too long.
        """
        return self._alone("change", work, MOMENT)

    def during_a_refresh(self, work: Callable[[], T], patience: float) -> T:
        """Do `work` while no other process refreshes.

        Args:
            patience (float): seconds to wait for the other process.

        Raises:
            Busy: the other process has not finished.
        """
        return self._alone("refresh", work, patience)

    def _alone(self, what: str, work: Callable[[], T], patience: float) -> T:
        path = self.path.with_name(f".{self.path.name}.{what}.lock")
        # A new lock for each use: it excludes the threads of this process too.
        lock = FileLock(path, timeout=patience, mode=0o600, thread_local=False)
        try:
            try:
                _acquire(lock)
                return work()
            finally:
                lock.release(force=True)
        finally:
            # An interrupt may have come in the line above.
            lock.release(force=True)

    def _content(self) -> bytes:
        # Without waiting for the other end of a pipe. A link is not followed: the first write
        # would replace the link, and leave the old tokens where it points.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
        name = self.path.name
        if self.path.is_symlink():
            raise StoreError(
                f"The token file {name} is a symbolic link: give the path that it points to"
            )
        descriptor = os.open(self.path, flags | getattr(os, "O_CLOEXEC", 0))
        try:
            # What was opened is looked at, because the path may name another file by now.
            self._check(os.fstat(descriptor))
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(LIMIT)
        finally:
            os.close(descriptor)

    def _check(self, status: os.stat_result) -> None:
        name = self.path.name
        if not stat.S_ISREG(status.st_mode):
            raise StoreError(f"The token file {name} is not a regular file: choose another path")
        if sys.platform == "win32" or sys.platform == "emscripten":
            # Windows has no such modes: the folder's access list decides who reads. A browser tab
            # has no users, and its files are its own.
            return
        if status.st_uid != os.geteuid():
            raise StoreError(f"The token file {name} belongs to another user: choose another path")
        mode = stat.S_IMODE(status.st_mode)
        if mode != 0o600:
            raise StoreError(
                f"The token file {name} has mode {mode:04o}, so others may have read or changed "
                f"it: delete it and log in again, or run chmod 600 {name} if you trust it"
            )


def _acquire(lock: FileLock) -> None:
    try:
        lock.acquire()
    except Timeout:
        raise Busy(errno.EBUSY, "another process is using it") from None
    except OSError:
        # The folder cannot be written, so no process can change the file. The write says so.
        pass
