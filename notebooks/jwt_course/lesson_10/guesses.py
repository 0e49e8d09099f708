"""What lesson 10 asks before it shows it. What the browser's model and the server did decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..guess import Guess, guess, in_order
from .attacker_site import Loot
from .checks import Cost


def _gets_through(hits: Mapping[str, bool]) -> list[str]:
    return [name for name, hit in hits.items() if hit]


def _tokens_in_storage(found: Sequence[Loot]) -> int:
    return sum(loot.where.startswith("localStorage") for loot in found)


def _cookies(found: Sequence[Loot]) -> list[str]:
    return [loot.where.split()[-1] for loot in found if loot.where.startswith("document.cookie")]


def guesses() -> tuple[Guess, ...]:
    """g1 to g10: g1 and g3 take a `Loot`, g6 and g7 where an attack got through, g8 and g9 a
    `Cost`, g10 a number of seconds, and the others whether something worked."""
    return in_order(
        __package__,
        guess(
            "mallory's script runs on the notice board. How many of ada's tokens can it read from "
            "localStorage?",
            number={
                0: "localStorage keeps them from scripts",
                2: "every script of this origin can read all of localStorage",
            },
            judge=_tokens_in_storage,
        ),
        guess(
            "ada closes the page, and does not log out. mallory refreshes every four minutes on "
            "her own machine. Is she still ada an hour later?",
            (
                True,
                "Yes",
                "each refresh returns a new refresh token, and ada never sends the spent one, so "
                "nobody notices",
            ),
            (False, "No", "the refresh token expires after five minutes"),
        ),
        guess(
            "Now both tokens are in HttpOnly cookies. What does the script read?",
            (
                ["__Host-csrf"],
                "The CSRF token only",
                "HttpOnly hides a cookie from scripts, and this cookie has no HttpOnly: the page "
                "must read it",
            ),
            ([], "Nothing", "all cookies are HttpOnly"),
            (
                ["__Host-access", "__Host-csrf", "__Secure-refresh"],
                "All three cookies",
                "document.cookie has all cookies of the page",
            ),
            judge=_cookies,
        ),
        guess(
            "The script can't read the access token. Can it change ada's note?",
            (
                True,
                "Yes",
                "it sends the request from the page, so the browser adds the cookies, and the "
                "script adds the CSRF token that it has read",
            ),
            (False, "No", "without the token it can't send a valid request"),
        ),
        guess(
            "ada is logged in, with careless cookies. She opens mallory's page on another site, "
            "which submits a form to ada's site. Is her note changed?",
            (
                True,
                "Yes",
                "the browser adds the cookies to each request for that site, no matter who "
                "wrote the form",
            ),
            (False, "No", "another site has no access to those cookies"),
        ),
        guess(
            "Now with the four protections. Against which of them does mallory's form work?",
            (
                ["careless"],
                "careless only",
                "SameSite=Strict keeps the cookie back, and the form can't set the header with the "
                "CSRF token",
            ),
            (
                ["careless", "samesite"],
                "careless and samesite",
                "the form came with the cookie in spite of SameSite",
            ),
            (
                ["careless", "csrf_token"],
                "careless and csrf_token",
                "the cookie came with the form, and it has the CSRF token in it",
            ),
            ([], "None", "no browser sends a cookie with a form of another site"),
            judge=_gets_through,
        ),
        guess(
            "mallory takes over another app of the same site. Against which of the four does a "
            "form there work?",
            (
                ["careless"],
                "careless only",
                "another origin is another site",
            ),
            (
                ["careless", "samesite"],
                "careless and samesite",
                "it is the same site, so SameSite lets the cookie through, and only the CSRF token "
                "is missing",
            ),
            (
                ["careless", "samesite", "csrf_token", "both"],
                "All four",
                "an app of the same site can do everything",
            ),
            judge=_gets_through,
        ),
        guess(
            "A service checks tokens by itself: signature and expiry. ada logs out 23 s after her "
            "login. For how many more seconds does a copy of her access token work there?",
            number={
                0: "the service knows of the logout",
                37: "the service never hears of the logout, and the token is valid for 60 s",
            },
            judge=_works_for,
        ),
        guess(
            "The next service asks the login server at each call. Five users call it once a second "
            "for a minute. How many questions is that?",
            number={
                5: "one question for each user was enough",
                60: "one question a second was enough",
                300: "each of the 300 calls asks once",
            },
            judge=_requests,
        ),
        guess(
            "SESSION_TTL is 3600 s. A client refreshes every four minutes, as long as the server "
            "lets it. After how many seconds is a refresh refused?",
            number={
                3600: "the end is counted from the login, and no refresh moves it",
            },
        ),
    )


def _works_for(cost: Cost) -> int:
    return cost.works_for


def _requests(cost: Cost) -> int:
    return cost.requests
