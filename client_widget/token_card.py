"""A stored token as the panel shows it."""

from __future__ import annotations

from html import escape

from .times import life, time_of_day
from .tokens import fingerprint, is_time, read_claims


def token_card(title: str, token: str, now: float) -> str:
    """A stored token: fingerprint, claims, and what is left of its life, as HTML."""
    claims = read_claims(token)
    iat, exp = claims.get("iat"), claims.get("exp")
    lines = [f"fingerprint {fingerprint(token)}"]
    for name, value in claims.items():
        moment = f" ({time_of_day(value)})" if name in ("iat", "exp") and is_time(value) else ""
        lines.append(f"{name}: {value!r}{moment}")
    left, bar, late = "", "", ""
    if is_time(exp):
        left = life(exp, now)
        late = " lab-late" if exp <= now else ""
        if is_time(iat) and exp > iat:
            share = max(0.0, min(1.0, (exp - now) / (exp - iat)))
            bar = f'<div class="lab-bar"><div style="width: {share:.0%}"></div></div>'
    return (
        f'<div class="lab-token{late}"><div class="lab-token-head"><span>{escape(title)}</span>'
        f'<span class="lab-left">{escape(left)}</span></div>{bar}'
        f"<code>{escape(chr(10).join(lines))}</code></div>"
    )
