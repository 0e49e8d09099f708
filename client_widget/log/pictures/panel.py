"""The panel as a picture, from what the client stores and the log says.

It has the panel's parts without its buttons: the page, the token store, the last story and its
flow. Times of day and fingerprints differ from run to run, so it shows what is left of a token.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...clock import life
from ...display import cut
from ...protocol.tokens import TokenPair, is_time, read_claims
from ..event import Event
from ..event_text import describe, tone
from .page import TWO, Block, Card, Heading, Inset, Step, Words, page
from .shapes import Role

#: Steps of the last story that are shown, the last ones.
MOST = 16

_ROLES: dict[str, Role] = {"good": "ok", "bad": "bad", "late": "warn", "plain": "plain"}


def panel(
    pair: TokenPair | None,
    story: Sequence[Event],
    now: float,
    *,
    notice: str,
    home: str,
    flow: str = "",
) -> str:
    """The picture as SVG text.

    Args:
        pair (TokenPair | None): what the token store holds.
        story (Sequence[Event]): the events of the last action.
        now (float): in seconds since the epoch.
        notice, home (str): what the panel and its home page say.
        flow (str): the picture of the flow.
    """
    left: list[Block] = [Heading("Browser"), Words(notice, strong=True)]
    left += [Words(f"Home page: {home}"), Heading("Token store"), *_cards(pair, now)]
    left += [Heading("What happened last"), *steps(story, MOST)]
    right: list[Block] = [Heading("Its flow"), Inset(flow)] if flow else []
    return page("The panel", [left, right], widths=TWO)


def _cards(pair: TokenPair | None, now: float) -> list[Block]:
    if pair is None:
        return [Words("The token store is empty.", "muted")]
    tokens = (("Access token", pair.access), ("Refresh token", pair.refresh))
    return [token_card(title, token, now) for title, token in tokens]


def token_card(title: str, token: str, now: float) -> Card:
    """A token with the time it has left, in whole seconds: so a moment later it looks the same."""
    claims = read_claims(token)
    iat, exp = claims.get("iat"), claims.get("exp")
    username = claims.get("username") or claims.get("sub")
    facts = [f"for {cut(username, 24)}"] if isinstance(username, str) else []
    if not is_time(exp):
        return Card(title, "no expiry known", lines=facts)
    share = 0.0
    if is_time(iat) and exp > iat:
        share = max(0.0, min(1.0, math.ceil(exp - now) / (exp - iat)))
        facts.append(f"valid for {exp - iat:g} s")
    return Card(title, life(exp, now), share, [", ".join(facts)] if facts else ())


def steps(events: Sequence[Event], most: int) -> list[Block]:
    """The last of some events as rows of a page."""
    rows: list[Block] = [
        Step(event.source, describe(event), _ROLES[tone(event)]) for event in events[-most:]
    ]
    if len(events) > most:
        rows.insert(0, Words(f"The last {most} of {len(events)} events", "muted"))
    return rows or [Words("Nothing has happened yet.", "muted")]
