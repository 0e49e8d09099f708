"""The judges of lesson 10: a cookie, a check against CSRF, and who is logged out everywhere.

The cookie is tried in a model of a browser; see `cookies`. RFC 10017, sections 6.1.3.2 and
6.1.3.3, says what a session's cookie should look like, and that it needs a defence against CSRF.
"""

from __future__ import annotations

import copy
import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..exercise import Wrong
from ..judging.answers import a, check_function, plain
from ..judging.learners_code import told
from . import checks, cookies
from .cookies import BLOG, EVIL, SHOP, CookieJar, Refused

#: Modules that do the work of these exercises.
_OURS = (cookies.__name__, checks.__name__)

# q1

#: The routes of the exercise.
LOGIN, REFRESH, HOME = f"{SHOP}/users/login", f"{SHOP}/refresh", f"{SHOP}/home"

#: Seconds for which the refresh token of the exercise is valid.
LIFETIME = 300


def judge_refresh_cookie(refresh_cookie: Any) -> str:
    """`refresh_cookie(token)` returns a `Set-Cookie` that a browser keeps to itself.

    Raises:
        Wrong: an attack works, or the shop's own page does not.
    """
    check_function("refresh_cookie", refresh_cookie, "token", forbidden=_OURS)
    for _ in range(2):
        token = secrets.token_urlsafe(24)
        header = plain(refresh_cookie(token))
        if not isinstance(header, str):
            raise Wrong(f"refresh_cookie returned {a(header)}. Return the header's value, a str.")
        if "\n" in header or "\r" in header:
            raise Wrong("a header is one line: leave out the line break.")
        _check_cookie(header, token)
    return "The browser sends it to /refresh from the shop's own pages, and no attack gets it."


def _check_cookie(header: str, token: str) -> None:
    jar = CookieJar()
    if header.lower().startswith("set-cookie:"):
        raise Wrong("return the value only, without `Set-Cookie:` in front.")
    try:
        kept = jar.store(header, LOGIN)
    except Refused as refused:
        raise Wrong(f"the browser ignores the cookie: {refused}.") from None
    if kept is None:
        raise Wrong("the browser deletes the cookie at once: `Max-Age` is in seconds, above 0.")
    if kept.value != token:
        raise Wrong("the cookie's value is not the token. It begins with name=value.")
    own = jar.sent(REFRESH, method="POST", page=f"{SHOP}/app/")
    if token not in own.values():
        raise Wrong(
            f"the shop's own page sends POST /refresh, and the cookie stays behind: its path is "
            f"{kept.path}. Without `Path` it is the folder of the login's URL."
        )
    _check_attacks(jar, token, kept.path, kept.name)


def _check_attacks(jar: CookieJar, token: str, path: str, name: str) -> None:
    if token in jar.read_by_script(REFRESH).values():
        raise Wrong(
            "a script in the page reads the token from `document.cookie` (XSS). Which attribute "
            "hides a cookie from scripts? A browser ignores names that it does not know."
        )
    if token in jar.sent(REFRESH.replace("https", "http"), method="POST").values():
        raise Wrong(
            "somebody in the same Wi-Fi sends the browser to http://shop.example/refresh, and "
            "reads the token on the way. Which attribute limits a cookie to https?"
        )
    blog = jar.sent(f"{BLOG}/refresh", page=BLOG)
    if token in blog.values():
        raise Wrong(
            "the cookie also goes to blog.shop.example, another team's server. Without `Domain` "
            "it stays at the host that set it."
        )
    for navigates in (False, True):
        if token in jar.sent(REFRESH, method="POST", page=EVIL, navigates=navigates).values():
            raise Wrong(
                "a form on evil.example posts to /refresh, and the cookie goes with it (CSRF). "
                "Name `SameSite`: without it, browsers differ, and `None` is for all sites."
            )
    if token in jar.sent(HOME, page=SHOP).values() and not name.startswith("__Host-"):
        raise Wrong(
            f"the cookie also goes with GET /home: its path is {path}. A refresh token should "
            "only travel to /refresh. (Or give it a name with `__Host-`, which needs `Path=/`, so "
            "that no subdomain can replace it.)"
        )


# q2


@dataclass(frozen=True)
class Request:
    """A request as the server receives it.

    Attributes:
        method (str): such as "POST".
        headers (Mapping[str, str]): by name; `X-CSRF-Token` if the page has sent one.
        cookies (Mapping[str, str]): by name.
    """

    method: str
    headers: Mapping[str, str] = field(repr=False)
    cookies: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Session:
    """The session that the request's cookie belongs to.

    Attributes:
        username (str): "" if there is no session.
        csrf_token (str | None): the one that the server gave to the page at the login.
    """

    username: str
    csrf_token: str | None = field(repr=False)


@dataclass(frozen=True)
class _Case:
    """A request to the server, and whether it may change something."""

    what: str
    request: Request
    allowed: bool
    logged_in: bool = True


def judge_may_change(may_change: Any) -> str:
    """`may_change(request, session)` lets the shop's page act, and no other.

    Raises:
        Wrong: it decides otherwise in one of the cases, or raises an error.
    """
    check_function("may_change", may_change, "request, session", forbidden=_OURS)
    cases = csrf_cases(session := Session("ada", secrets.token_urlsafe(24)))
    outcomes: dict[str, Any] = {}
    # In a new order each time, so that the place of a request does not reveal what it is. What is
    # wrong is said in one order.
    for case in random.sample(cases, len(cases)):
        its = session if case.logged_in else Session("", None)
        outcomes[case.what] = _tried(may_change, case, its)
    for case in cases:
        seen = outcomes[case.what]
        if isinstance(seen, Wrong):
            raise seen
        if seen is not True and seen is not False:
            raise Wrong(f"for {case.what} you returned {a(seen)}. Return True or False.")
        if seen != case.allowed:
            raise Wrong(
                f"you {'let through' if seen else 'refused'} {case.what}. "
                f"{_WHY.get(case.what, '')}".rstrip()
            )
    refused = sum(not case.allowed for case in cases)
    return f"The shop's own page gets through, and none of {refused} others does."


def _tried(may_change: Callable[..., object], case: _Case, session: Session) -> Any:
    try:
        return plain(may_change(copy.deepcopy(case.request), copy.deepcopy(session)))
    except Exception as error:
        words = told(error, *([session.csrf_token] if session.csrf_token else []))
        return Wrong(
            f"your code raised an error for {case.what}. It was {words}. Anyone can send such a "
            "request: return False."
        )


#: What a learner may have overlooked, by the case.
_WHY = {
    "a cross-site form without the token": "The browser sends the cookie, and nothing else "
    "shows who wrote the form.",
    "another user's valid token": "mallory has an account, and a token of her own. Compare with "
    "the one of this session.",
    "the attacker's token as cookie and as header": "A subdomain can set a cookie. What counts is "
    "the token that the server keeps for this session.",
    "the right token in the cookie only": "The browser sends a cookie by itself, so it proves "
    "nothing. The page has to put it into the header.",
    "a form from blog.shop.example without the token": "It is same-site, so `SameSite` lets the "
    "cookie through.",
    "no header, and a session without a token": "None equals None.",
    "an empty header, and a session without a token": "Nothing equals nothing.",
    "a GET from a link on another site": "It changes nothing, so a link may lead to the page.",
}


def csrf_cases(session: Session) -> list[_Case]:
    """The requests of the exercise, with the session's token in some of them."""
    right = session.csrf_token
    assert right is not None
    other, near = secrets.token_urlsafe(24), right[:-1] + ("A" if right[-1] != "A" else "B")

    def post(token: str | None, origin: str = SHOP, cookie: str | None = right) -> Request:
        return _request("POST", token, origin, cookie)

    return [
        _Case("a POST of the shop's own page", post(right), True),
        _Case("a PUT of the shop's own page", _request("PUT", right, SHOP, right), True),
        _Case("a GET of the shop's own page", _request("GET", None, SHOP, right), True),
        _Case("a GET from a link on another site", _request("GET", None, EVIL, right), True),
        _Case("a cross-site form without the token", post(None, EVIL), False),
        _Case(
            "a cross-site DELETE without the token", _request("DELETE", None, EVIL, right), False
        ),
        _Case("a form from blog.shop.example without the token", post(None, BLOG), False),
        _Case("a POST of the shop's own page without the token", post(None), False),
        _Case("an empty token", post(""), False),
        _Case("a wrong token", post(other), False),
        _Case("a token with one wrong character", post(near), False),
        _Case("half of the token", post(right[: len(right) // 2]), False),
        _Case("a token with letters outside ASCII", post("é" * 32), False),
        _Case("another user's valid token", post(other, EVIL), False),
        _Case("the attacker's token as cookie and as header", post(other, BLOG, other), False),
        _Case("the right token in the cookie only", post(None, EVIL, right), False),
        _Case("no header, and a session without a token", post(None, EVIL, None), False, False),
        _Case("an empty header, and a session without a token", post("", EVIL, ""), False, False),
    ]


def _request(method: str, token: str | None, origin: str, cookie: str | None) -> Request:
    headers = {} if token is None else {"X-CSRF-Token": token}
    if method not in cookies.SAFE:
        headers["Origin"] = origin
    headers["Sec-Fetch-Site"] = cookies.relation(origin)
    return Request(method, headers, {} if cookie is None else {"csrf": cookie})


# q3

#: When the exercise happens, in seconds since the epoch.
_NOW = 1_800_000_000


def judge_is_revoked(is_revoked: Any) -> str:
    """`is_revoked(claims, ended, everywhere)` knows each token of a session that has ended.

    Raises:
        Wrong: it decides otherwise in one of the cases, or raises an error.
    """
    check_function("is_revoked", is_revoked, "claims, ended, everywhere", forbidden=_OURS)
    ended = frozenset({"ada-phone", "eve-laptop"})
    everywhere = {"ada": _NOW, "bob": _NOW - 3_600}
    cases = revocation_cases()
    outcomes: dict[str, Any] = {}
    for what, claims, _ in random.sample(cases, len(cases)):
        try:
            outcomes[what] = plain(is_revoked(dict(claims), set(ended), dict(everywhere)))
        except Exception as error:
            outcomes[what] = Wrong(f"your code raised an error for {what}. It was {told(error)}.")
    for what, _, revoked in cases:
        seen = outcomes[what]
        if isinstance(seen, Wrong):
            raise seen
        if seen is not True and seen is not False:
            raise Wrong(f"for {what} you returned {a(seen)}. Return True or False.")
        if seen != revoked:
            raise Wrong(
                f"{what} is {'revoked' if revoked else 'valid'}, and you said {seen}. "
                f"{_HINTS.get(what, '')}".rstrip()
            )
    return f"You decided {len(cases)} tokens as a server that forgets no logout."


_HINTS = {
    "a token of a session that ada logged out": "Its `sid` is in `ended`.",
    "a token that ada got before she logged out everywhere": "Compare its `iat` with the time of "
    "that logout.",
    "a token that ada got in the second of that logout": "`iat` is a whole second, so nobody knows "
    "which came first. In doubt, refuse.",
    "a token that ada got after she logged out everywhere": "A new login starts a new session, "
    "and that logout was before it.",
    "a token of bob, an hour after his logout": "His own logout was an hour before it.",
    "a token of eve, who never logged out everywhere": "Her name is not in `everywhere`.",
    "a token that eve got before ada's logout": "`everywhere` is by username.",
}


def revocation_cases() -> list[tuple[str, dict[str, Any], bool]]:
    """What the token is, its claims, and whether it is revoked."""

    def claims(sub: str, sid: str, iat: int) -> dict[str, Any]:
        return {"sub": sub, "sid": sid, "iat": iat, "exp": iat + 60}

    return [
        ("a token of a session that ada logged out", claims("ada", "ada-phone", _NOW + 5), True),
        ("a token of a session that eve logged out", claims("eve", "eve-laptop", _NOW - 5), True),
        (
            "a token that ada got before she logged out everywhere",
            claims("ada", "ada-laptop", _NOW - 30),
            True,
        ),
        (
            "a token that ada got in the second of that logout",
            claims("ada", "ada-laptop", _NOW),
            True,
        ),
        (
            "a token that ada got after she logged out everywhere",
            claims("ada", "ada-tablet", _NOW + 1),
            False,
        ),
        ("a token of bob, an hour after his logout", claims("bob", "bob-laptop", _NOW - 1), False),
        (
            "a token of eve, who never logged out everywhere",
            claims("eve", "eve-tablet", _NOW + 2),
            False,
        ),
        ("a token that eve got before ada's logout", claims("eve", "eve-tablet", _NOW - 20), False),
    ]
