"""Ids that only this server can have issued: random, signed, and stored nowhere.

A signed id is `<id>.<signature>`. The signature (HMAC) covers the id and its owner, so it is no
good for another owner, and an id cannot be made up.
"""

from __future__ import annotations

import hmac
import re
import secrets

_SIGNED = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{64})", re.ASCII)


class SignedIds:
    """Issues and reads the signed ids of one purpose.

    Args:
        secret (str): the server's. Each purpose has its own key, which is derived from it.
        purpose (str): such as "device token". The ids of another purpose are not accepted.
    """

    def __init__(self, secret: str, purpose: str) -> None:
        self._key = hmac.digest(secret.encode(), purpose.encode(), "sha256")

    def issue(self, owner: str, id: str = "") -> str:
        """A signed id for an owner.

        Args:
            owner (str): whose it is.
            id (str): an id that was read before; a new one by default.
        """
        id = id or secrets.token_hex(16)
        return f"{id}.{self._signature(owner, id)}"

    def read(self, owner: str, signed: str) -> str:
        """The id in a signed one; "" if this server did not issue it for this owner."""
        found = _SIGNED.fullmatch(signed)
        if found and hmac.compare_digest(found[2], self._signature(owner, found[1])):
            return found[1]
        return ""

    def _signature(self, owner: str, id: str) -> str:
        # An id has no NUL, so no other owner and id have the same text.
        return hmac.digest(self._key, f"{id}\0{owner}".encode(), "sha256").hex()
