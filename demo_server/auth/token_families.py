"""Token families: all refresh tokens that rotation derives from one login.

    login ─▶ token 1 ──spent──▶ token 2 ──spent──▶ token 3

A refresh token is valid once. A client that presents a spent one is a thief, or the owner after a
theft: the server cannot know which, so it ends the whole family (RFC 9700, section 4.14.2).

A grace period makes one exception, for a lost response: the token spent last returns its successor
again, until that successor is spent itself.

A family also has an absolute end, counted from the login. Rotation never moves it (RFC 10017,
section 6.3.2.3).

The collections store ids from the tokens' claims, never a token:

- `families`: `_id` (the claim `sid`), `username`, `revoked` (None, or the reason), `ends_at`,
  `expires_at`;
- `refresh_tokens`: `_id` (the claim `jti`), `family`, `parent`, `issued_at`, `spent_at`,
  `successor`, `repeated_at` (absent, or when the grace period last returned it again),
  `expires_at`.

Times are seconds since the epoch on the server's clock. `expires_at` is for cleanup only and uses
the wall clock; see `storage/database.py`.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mongomock import DuplicateKeyError

from ..storage.database import Database, clean_up, expiry, guard_of


@dataclass(frozen=True)
class Spent:
    """A refresh token that has been spent.

    Attributes:
        successor (str): the `jti` of the refresh token that follows it.
        at (float): when it was spent, in seconds since the epoch.
        by_us (bool): whether this call spent it.
        repeated (bool): whether the grace period lets this call have the same successor again.
    """

    successor: str
    at: float
    by_us: bool
    repeated: bool = False


class FamilyRepository:
    """The token families of one database.

    Args:
        database (Database): of mongomock or pymongo.
        lifetime (float): the longest lifetime of a token, in seconds; for cleanup only.
        session_ttl (int): seconds from the login to the end of a family.
    """

    def __init__(
        self, database: Database, lifetime: float = 0.0, session_ttl: int = 28_800
    ) -> None:
        self._families = database["families"]
        self._tokens = database["refresh_tokens"]
        self._guard = guard_of(database)
        self._lifetime = lifetime
        self._session_ttl = session_ttl
        for collection in ("families", "refresh_tokens"):
            clean_up(database, collection)

    def end_of_session(self, start: float) -> int:
        """When a family that starts at `start` ends: a whole second, as the claim `exp` is."""
        return int(start) + self._session_ttl

    def start(self, username: str, now: float) -> tuple[str, str]:
        """Start a family; return its id and the id of its first refresh token.

        Args:
            username (str): who has logged in.
            now (float): seconds since the epoch.
        """
        family, jti = secrets.token_hex(8), secrets.token_hex(16)
        with self._guard:
            self._families.insert_one(
                {
                    "_id": family,
                    "username": username,
                    "revoked": None,
                    "ends_at": self.end_of_session(now),
                    "expires_at": expiry(self._session_ttl),
                }
            )
        self._add(jti, family, None, now)
        return family, jti

    def spend(self, jti: str, now: float, grace: float = 0.0) -> Spent | None:
        """Spend a refresh token, or say how it was spent; None if there is no such token.

        Check-then-write would let two callers spend one token. So the check and the write are
        one atomic update in the database: only one caller finds the token unspent.

        Args:
            jti (str): the token's id.
            now (float): seconds since the epoch.
            grace (float): the seconds for which the token spent last returns its successor
                again; 0 for none.
        """
        successor = secrets.token_hex(16)
        with self._guard:
            token = self._tokens.find_one_and_update(
                {"_id": jti, "spent_at": None},
                {"$set": {"spent_at": now, "successor": successor}},
            )
        if token is not None:
            self._add(successor, token["family"], jti, now)
            return Spent(successor, now, by_us=True)
        with self._guard:
            token = self._tokens.find_one({"_id": jti})
        if token is None:
            return None
        repeated = grace > 0 and self._repeat(token, now, grace)
        return Spent(token["successor"], token["spent_at"], by_us=False, repeated=repeated)

    def _repeat(self, token: Mapping[str, Any], now: float, grace: float) -> bool:
        """Whether a spent token may return its successor again; if so, note when it did.

        Only the token spent last may, and only for a while. The successor's own document says
        both: it was issued when its parent was spent, and it is unspent as long as its parent is
        the last one. So one atomic update of that one document decides, under threads and in
        several processes:

        - `spend` changes the same document in the same way. The database orders the two updates:
          either this one comes first, and the successor was still unspent, or it finds the
          successor spent, and the token is an older one.
        - What was read before, the parent's `successor` and `spent_at`, never changes again. So
          the decision rests on nothing that can be out of date.
        """
        # If the process that spent the token died between its two writes, complete them. The
        # successor's id is in the parent, so the loser of two such inserts changes nothing.
        self._add(token["successor"], token["family"], token["_id"], token["spent_at"])
        with self._guard:
            successor = self._tokens.find_one_and_update(
                {
                    "_id": token["successor"],
                    "spent_at": None,
                    "issued_at": {"$gt": now - grace},
                },
                {"$set": {"repeated_at": now}},
            )
        return successor is not None

    def revoke(self, family: str, reason: str) -> bool:
        """End a family; return whether this call ended it."""
        with self._guard:
            ended = self._families.find_one_and_update(
                {"_id": family, "revoked": None}, {"$set": {"revoked": reason}}
            )
        return ended is not None

    def ends_at(self, family: str) -> float | None:
        """When a family ends, in seconds since the epoch; None if it is unknown or revoked."""
        with self._guard:
            found = self._families.find_one({"_id": family, "revoked": None})
        # A database of an earlier version has families without an end: their users log in again.
        return None if found is None else found.get("ends_at")

    def _add(self, jti: str, family: str, parent: str | None, issued_at: float) -> None:
        document: dict[str, Any] = {
            "_id": jti,
            "family": family,
            "parent": parent,
            "issued_at": issued_at,
            "spent_at": None,
            "successor": None,
            "expires_at": expiry(self._lifetime),
        }
        try:
            with self._guard:
                self._tokens.insert_one(document)
        except DuplicateKeyError:
            pass
