"""What the log is told of a token that was refused, or refreshed."""

from __future__ import annotations

from typing import Any

from .auth_flow import Response, error_code
from .tokens import TokenPair


def verdict(pair: TokenPair, response: Response, now: float) -> tuple[str, dict[str, Any]]:
    """The event of a refused access token: its name and its fields.

    Args:
        pair: whose access token was sent.
        response: the refusal.
        now (float): seconds since the epoch, on the client's clock.
    """
    reason = error_code(response)
    # Of the two policies only the article's says by its code that a token has expired.
    silent = reason in ("", "invalid_token")
    expired = reason == "token_expired" or (silent and pair.access_facts.get("exp", 0) <= now)
    name = "token.expired" if expired else "token.refused"
    return name, {"kind": "access", "reason": reason, **pair.access_facts}


def refreshed_facts(old: TokenPair, new: TokenPair) -> dict[str, Any]:
    """The fields of `token.refreshed`; with rotation, those of the new refresh token as well."""
    facts = {"kind": "access", **new.access_facts}
    if new.refresh != old.refresh:
        facts["refresh"] = dict(new.refresh_facts)
    return facts
