"""A token, its claims, a verdict and a heading as HTML. All text is escaped, no token complete."""

from __future__ import annotations

import json
from http import HTTPStatus

from ..clock import life, time_of_day
from ..display import as_html, shown
from ..protocol.jwt_by_hand import describe_claims, split, verdict_words
from ..protocol.tokens import fingerprint, is_time, read_claims

_NAMES = ("header", "payload", "signature")


def pretty(text: str) -> str:
    """A header or a payload over several lines; unchanged if it is not JSON."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def draw_parts(token: str) -> str:
    """The three parts in three colours: the start of each, then each decoded."""
    parts = split(token)
    short = ".".join(
        f'<span class="lab-jwt-{name}">{as_html(_start(segment))}</span>'
        for name, segment in zip(_NAMES, token.split(".", 2), strict=False)
    )
    texts = (pretty(parts.header_text), pretty(parts.payload_text), _start(parts.signature))
    blocks = "".join(
        f'<div class="lab-jwt-{name}"><b>{name.capitalize()}</b>'
        f"<pre>{as_html(text or 'cannot be read')}</pre></div>"
        for name, text in zip(_NAMES, texts, strict=True)
    )
    return f'<div class="lab-jwt"><code>{short}</code>{blocks}</div>'


def _start(segment: str) -> str:
    """Enough to tell tokens apart, too little to use one."""
    return f"{segment[:6]}…" if segment else ""


def draw_claims(token: str, now: float) -> str:
    """The claims and what each means at `now`, in seconds since the epoch, as a table."""
    rows = "".join(
        f'<tr><th scope="row">{as_html(name)}</th>'
        f"<td>{as_html(json.dumps(value, ensure_ascii=False))}</td><td>{as_html(words)}</td></tr>"
        for name, value, words in describe_claims(read_claims(token), now)
    )
    return f'<table class="lab-jwt-claims"><caption>Claims</caption>{rows}</table>'


def draw_verdict(sent: str, status: int, code: str, note: str) -> str:
    """What was sent, the response, and the reason for it.

    Args:
        sent (str): the request in words.
        status (int): the HTTP status of the response.
        code (str): the error code of the response, or "".
        note (str): a sentence to add, or "".
    """
    tone = "lab-good" if status < 400 else "lab-late" if code == "token_expired" else "lab-bad"
    try:
        answer = f"{status} {HTTPStatus(status).phrase} {code}"
    except ValueError:
        answer = f"{status} {code}"
    lines = [note] if note else []
    lines += verdict_words(status, code).splitlines()
    words = "".join(f"<p>{as_html(line)}</p>" for line in lines)
    return (
        f'<div class="lab-verdict {tone}" role="status"><div>{as_html(sent)}</div>'
        f"<b>{as_html(answer.rstrip())}</b>{words}</div>"
    )


#: The share of a token's life below which its countdown changes colour.
ENDING = 0.25


def token_card(title: str, token: str, now: float) -> str:
    """A stored token as HTML: fingerprint, user, times, and the time it has left at `now`."""
    claims = read_claims(token)
    iat, exp = claims.get("iat"), claims.get("exp")
    # The user is in `username` in the article, in `sub` with the `rfc` policy.
    username = claims.get("username") or claims.get("sub")
    facts = [f"for {as_html(shown(username))}"] if isinstance(username, str) else []
    if is_time(iat) and is_time(exp):
        facts.append(f"<span>{time_of_day(iat)} → {time_of_day(exp)}</span>")
    left, share = "", 0.0
    if is_time(exp):
        left = life(exp, now)
        if is_time(iat) and exp > iat:
            share = max(0.0, min(1.0, (exp - now) / (exp - iat)))
    tone = ""
    if is_time(exp) and is_time(iat):
        tone = "lab-bad" if exp <= now else "lab-late" if share <= ENDING else "lab-good"
    return _card(title, fingerprint(token), left, tone, share, " · ".join(facts))


def empty_card(title: str, words: str) -> str:
    """The place of a token that is not stored, as large as that of one that is."""
    return _card(title, "", "", "", 0.0, as_html(words))


def _card(title: str, name: str, left: str, tone: str, share: float, facts: str) -> str:
    return (
        f'<div class="lab-token {tone}"><div class="lab-token-head"><b>{as_html(title)}</b>'
        f'<code>{as_html(name)}</code><span class="lab-left">{as_html(left)}</span></div>'
        f'<div class="lab-bar"><div style="width: {share:.0%}"></div></div>'
        f'<div class="lab-token-facts">{facts}</div></div>'
    )


def head(title: str, end: str = "") -> str:
    """The head of a part of the panel as HTML.

    Args:
        title (str): names the part.
        end (str): HTML at the end of the line.
    """
    return (
        f'<div class="lab-head"><span role="heading" aria-level="3">{as_html(title)}</span>'
        f'<span class="lab-end">{end}</span></div>'
    )
