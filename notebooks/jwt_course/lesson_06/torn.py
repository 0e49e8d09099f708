"""A database without the atomic update: between check and write, another caller can come.

    server = DemoServer(config, database=TornDatabase(open_database()))

It behaves like a server that reads a refresh token, finds it unspent, and marks it as spent
afterwards. There the gap is short, and two callers meet in it once in a while (a race condition).
Here a gate holds the first caller in the gap until the second is in it too, so they meet every
time.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from demo_server.storage.database import Database, guard_of

from ..concurrency import Gate

#: Seconds for which a caller waits in the gap for the second one, before it goes on alone: longer
#: than a slow machine needs to bring the second one.
PATIENCE = 5.0


class GuardedCollection:
    """A collection whose single operations are thread-safe, even on mongomock."""

    def __init__(self, collection: Any, guard: AbstractContextManager[object]) -> None:
        self._collection = collection
        self._guard = guard

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._collection, name)
        if not callable(operation):
            return operation

        def guarded(*args: Any, **options: Any) -> Any:
            with self._guard:
                return operation(*args, **options)

        return guarded


class TornCollection(GuardedCollection):
    """A collection whose `find_one_and_update` is not atomic."""

    def __init__(
        self, collection: Any, guard: AbstractContextManager[object], patience: float = PATIENCE
    ) -> None:
        super().__init__(collection, guard)
        self._both_have_looked = Gate(opens_at=2, patience=patience)

    def find_one_and_update(
        self, query: Mapping[str, Any], update: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Read, wait until another caller has read too, and write.

        Later callers do not wait: the gate stays open, so the lesson can go on with both.
        """
        seen: dict[str, Any] | None = self.find_one(query)
        self._both_have_looked.wait()
        if seen is not None:
            self.update_one({"_id": seen["_id"]}, update)
        return seen


class TornDatabase:
    """A database whose collection `refresh_tokens` is torn; the others are unchanged.

    Args:
        database (Database): a real one.
        patience (float): seconds for which a caller waits in the gap.
    """

    def __init__(self, database: Database, patience: float = PATIENCE) -> None:
        self._database = database
        self.client = database.client  # tells the server which kind of database it is
        self._guard = guard_of(database)
        self._torn = TornCollection(database["refresh_tokens"], self._guard, patience)

    def __getitem__(self, name: str) -> GuardedCollection:
        if name == "refresh_tokens":
            return self._torn
        return GuardedCollection(self._database[name], self._guard)
