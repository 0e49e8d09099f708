"""Token families: all refresh tokens that rotation derives from one login.

    login ─▶ token 1 ──spent──▶ token 2 ──spent──▶ token 3

A refresh token is valid once. A client that presents a spent one is a thief, or the owner after a
theft: the server cannot know which, so it ends the whole family (RFC 9700, section 4.14.2).

The collections store ids from the tokens' claims, never a token:

- `families`: `_id` (the claim `sid`), `username`, `revoked` (None, or the reason), `expires_at`;
- `refresh_tokens`: `_id` (the claim `jti`), `family`, `parent`, `issued_at`, `spent_at`,
  `successor`, `expires_at`.

Times are seconds since the epoch on the server's clock. `expires_at` is for cleanup only and uses
the wall clock; see `database.py`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from mongomock import DuplicateKeyError

from .database import Database, clean_up, expiry, guard_of


@dataclass(frozen=True)
class Spent:
    """A refresh token that has been spent.

    Attributes:
        successor (str): the `jti` of the refresh token that follows it.
        at (float): when it was spent, in seconds since the epoch.
        by_us (bool): whether this call spent it.
    """

    successor: str
    at: float
    by_us: bool


class FamilyRepository:
    """The token families of one database.

    Args:
        database (Database): of mongomock or pymongo.
        lifetime (float): the longest lifetime of a token, in seconds; for cleanup only.
    """

    def __init__(self, database: Database, lifetime: float = 0.0) -> None:
        self._families = database["families"]
        self._tokens = database["refresh_tokens"]
        self._guard = guard_of(database)
        self._lifetime = lifetime
        for collection in ("families", "refresh_tokens"):
            clean_up(database, collection)

    def start(self, username: str, now: float) -> tuple[str, str]:
        """Start a family; return its id and the id of its first refresh token."""
        family, jti = secrets.token_hex(8), secrets.token_hex(16)
        with self._guard:
            self._families.insert_one(
                {
                    "_id": family,
                    "username": username,
                    "revoked": None,
                    "expires_at": expiry(self._lifetime),
                }
            )
        self._add(jti, family, None, now)
        return family, jti

    def spend(self, jti: str, now: float) -> Spent | None:
        """Spend a refresh token, or say how it was spent; None if there is no such token.

        Check-then-write would let two callers spend one token. So the check and the write are
        one atomic update in the database: only one caller finds the token unspent.
        """
        successor = secrets.token_hex(16)
        with self._guard:
            token = self._tokens.find_one_and_update(
                {"_id": jti, "spent_at": None},
                {"$set": {"spent_at": now, "successor": successor}},
            )
        spent = Spent(successor, now, by_us=True)
        if token is None:
            with self._guard:
                token = self._tokens.find_one({"_id": jti})
            if token is None:
                return None
            spent = Spent(token["successor"], token["spent_at"], by_us=False)
        # Repeated for a token spent before: if a process died between the two writes, the next
        # call within the grace period completes them.
        self._add(spent.successor, token["family"], jti, spent.at)
        if spent.by_us:
            # Keep the family for as long as its last token is valid.
            until = expiry(self._lifetime)
            with self._guard:
                self._families.update_one({"_id": token["family"]}, {"$set": {"expires_at": until}})
        return spent

    def revoke(self, family: str, reason: str) -> bool:
        """End a family; return whether this call ended it."""
        with self._guard:
            ended = self._families.find_one_and_update(
                {"_id": family, "revoked": None}, {"$set": {"revoked": reason}}
            )
        return ended is not None

    def is_live(self, family: str) -> bool:
        """Whether the family exists and has not been revoked."""
        with self._guard:
            return self._families.find_one({"_id": family, "revoked": None}) is not None

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
