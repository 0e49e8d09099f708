"""Lesson 10: a browser's rules for cookies, what a logout costs, and the judges of exercises."""

from __future__ import annotations

import pytest
from jwt_course.lesson_10 import (
    WAYS,
    TokenLab,
    attacks_picture,
    bff_picture,
    costs_picture,
    exercises,
    lookups_of_home,
    session_length,
    stays_logged_in,
    try_check,
)
from jwt_course.lesson_10.cookies import BLOG, EVIL, SHOP, CookieJar, Refused

from .learner import cell, verdict

LOGIN, REFRESH = f"{SHOP}/users/login", f"{SHOP}/refresh"


def jar(set_cookie: str, url: str = LOGIN) -> CookieJar:
    kept = CookieJar()
    kept.store(set_cookie, url)
    return kept


class TestCookieJar:
    @pytest.mark.parametrize(
        ("set_cookie", "url"),
        [
            ("Secure; HttpOnly", LOGIN),
            ("a=1; Domain=evil.example", LOGIN),
            ("a=1; Domain=blog.shop.example", LOGIN),
            ("a=1; Secure", "http://shop.example/"),
            ("a=1; SameSite=None", LOGIN),
            ("__Secure-a=1; Path=/", LOGIN),
            ("__Host-a=1; Path=/", LOGIN),
            ("__Host-a=1; Secure; Path=/refresh", LOGIN),
            ("__Host-a=1; Secure; Path=/; Domain=shop.example", LOGIN),
        ],
    )
    def test_a_browser_ignores_it(self, set_cookie: str, url: str) -> None:
        with pytest.raises(Refused):
            CookieJar().store(set_cookie, url)

    def test_loopback_is_secure_without_https(self) -> None:
        url = "http://127.0.0.1/users/login"
        assert jar("a=1; Secure; Path=/", url).sent(url) == {"a": "1"}

    @pytest.mark.parametrize(
        ("path", "url", "goes"),
        [
            ("", "/users/home", True),  # the folder of the login's URL
            ("", "/refresh", False),
            ("; Path=refresh", "/refresh", False),  # ignored, as it has no slash
            ("; Path=/refresh", "/refresh", True),
            ("; Path=/refresh", "/refresh/again", True),
            ("; Path=/refresh", "/refreshing", False),
            ("; Path=/refresh", "/home", False),
            ("; Path=/", "/home", True),
        ],
    )
    def test_a_path_is_for_itself_and_what_is_below(self, path: str, url: str, goes: bool) -> None:
        assert jar(f"a=1{path}").sent(SHOP + url) == ({"a": "1"} if goes else {})

    @pytest.mark.parametrize(
        ("same_site", "page", "method", "navigates", "goes"),
        [
            ("Strict", SHOP, "POST", False, True),
            ("Strict", BLOG, "POST", False, True),
            ("Strict", EVIL, "GET", True, False),
            ("Strict", "http://shop.example", "GET", True, False),  # another scheme, another site
            ("Strict", None, "GET", True, True),
            ("Lax", EVIL, "GET", True, True),
            ("Lax", EVIL, "GET", False, False),
            ("Lax", EVIL, "POST", True, False),
            ("None", EVIL, "POST", False, True),
            ("lax", EVIL, "POST", True, False),
            ("Strictly", EVIL, "POST", False, True),
        ],
    )
    def test_same_site(
        self, same_site: str, page: str | None, method: str, navigates: bool, goes: bool
    ) -> None:
        kept = jar(f"a=1; Secure; Path=/; SameSite={same_site}")
        sent = kept.sent(REFRESH, method=method, page=page, navigates=navigates)
        assert sent == ({"a": "1"} if goes else {})

    def test_a_domain_widens(self) -> None:
        assert jar("a=1; Path=/").sent(f"{BLOG}/") == {}
        assert jar("a=1; Path=/; Domain=.shop.example").sent(f"{BLOG}/") == {"a": "1"}

    def test_a_script_reads_what_is_not_http_only(self) -> None:
        assert jar("a=1; Path=/").read_by_script(SHOP) == {"a": "1"}
        assert jar("a=1; Path=/; httponly=false").read_by_script(SHOP) == {}
        assert jar("a=1; Path=/; Http-Only").read_by_script(SHOP) == {"a": "1"}

    def test_a_cookie_is_replaced_and_deleted(self) -> None:
        kept = jar("a=1; Path=/")
        kept.store("a=2; Path=/; Max-Age=5", LOGIN)
        assert kept.sent(SHOP) == {"a": "2"}
        assert kept.store("a=; Path=/; Max-Age=0", LOGIN) is None
        assert kept.sent(SHOP) == {}


class TestCosts:
    @pytest.mark.parametrize(
        ("way", "requests", "works_for"),
        [("local", 0, 37), ("denylist", 6, 7), ("cached introspection", 12, 7),
         ("introspection", 120, 0)],
    )  # fmt: skip
    def test_a_minute_of_two_users(self, way: str, requests: int, works_for: int) -> None:
        cost = try_check(way, users=2)
        assert (cost.calls, cost.requests, cost.works_for) == (120, requests, works_for)
        assert cost.listed == (way == "denylist")

    def test_the_picture_has_them_all(self) -> None:
        picture = costs_picture([try_check(way) for way in WAYS])
        assert [way in picture.words for way in WAYS] == [True] * 4
        assert "local, 1 user: 0 requests for 60 calls; the copy worked for 37 s" in picture.words

    def test_only_a_server_that_can_end_sessions_looks_them_up(self) -> None:
        assert (lookups_of_home("article"), lookups_of_home("rfc")) == (0, 1)

    @pytest.mark.parametrize("returns", [False, True])
    def test_a_stolen_refresh_token_works_while_its_owner_is_away(self, returns: bool) -> None:
        lab = TokenLab("both")
        try:
            lab.open_board("localStorage").log_in("ada", lab.password)
            lab.inject()
            lab.open_board("localStorage")
            _, refresh = lab.loot
            if returns:
                lab.use(refresh)  # the same token by its owner: the second use is reuse
            assert stays_logged_in(lab, refresh, minutes=8) is not returns
        finally:
            lab.stop()

    def test_no_refresh_moves_the_end_of_a_session(self) -> None:
        assert session_length(1_000) == 1_200  # the first refresh after it


SAFE = 'request.method in ("GET", "HEAD", "OPTIONS")'
HEADER = 'request.headers.get("X-CSRF-Token")'


def cookie(value: str) -> str:
    return f'def refresh_cookie(token):\n return f"{value}"'


def check(rule: str, safe: str = SAFE) -> str:
    return (
        "import hmac, secrets\ndef may_change(request, session):\n"
        f" if {safe}:\n  return True\n sent = {HEADER}\n return {rule}"
    )


def revoked(rule: str) -> str:
    return f"def is_revoked(claims, ended, everywhere):\n return {rule}"


def test_the_pictures_say_what_they_show() -> None:
    hits = {"careless": True, "samesite": True, "both": False}
    picture = attacks_picture({"a neighbour": hits, "another": dict.fromkeys(hits, False)})
    assert picture.words.splitlines()[1:] == ["a neighbour: careless, samesite", "another: nowhere"]
    assert [picture.svg.count(word) for word in (">works<", ">refused<")] == [2, 4]
    assert "The browser has a session cookie" in bff_picture().words


RIGHT = {
    "q1 strict": (1, cookie("refresh={token}; HttpOnly; Secure; SameSite=Strict; Path=/refresh")),
    "q1 lax, in another order": (
        1, cookie("r={token};path=/refresh;max-age=300;samesite=lax;secure;httponly"),
    ),
    "q1 a prefix": (
        1, cookie("__Host-r={token}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=300"),
    ),
    "q1 the standard library": (
        1,
        """
        from http.cookies import SimpleCookie

        def refresh_cookie(token):
            cookie = SimpleCookie({"refresh": token})
            cookie["refresh"].update(
                {"httponly": True, "secure": True, "samesite": "Lax", "path": "/refresh"}
            )
            return cookie["refresh"].OutputString()
        """,
    ),
    "q2 hmac": (
        2,
        check("bool(sent and session.csrf_token and "
              "hmac.compare_digest(sent.encode(), session.csrf_token.encode()))"),
    ),
    "q2 equal": (2, check("bool(sent) and sent == session.csrf_token")),
    "q2 with the origin": (
        2,
        check('bool(sent) and request.headers.get("Origin") == "https://shop.example" '
              "and sent == session.csrf_token"),
    ),
    "q2 with fetch metadata": (
        2,
        check('sent is not None and sent != "" and sent == session.csrf_token '
              'and request.headers["Sec-Fetch-Site"] == "same-origin"'),
    ),
    "q3 one line": (
        3,
        revoked('claims["sid"] in ended or claims["iat"] <= everywhere.get(claims["sub"], 0)'),
    ),
    "q3 with branches": (
        3,
        """
        def is_revoked(claims, ended, everywhere):
            if claims["sid"] in ended:
                return True
            for name, since in everywhere.items():
                if name == claims["sub"] and not claims["iat"] > since:
                    return True
            return False
        """,
    ),
    "q3 with try": (
        3,
        """
        def is_revoked(claims, ended, everywhere):
            try:
                old = everywhere[claims["sub"]] >= claims["iat"]
            except KeyError:
                old = False
            return old or bool({claims["sid"]} & ended)
        """,
    ),
}  # fmt: skip


@pytest.mark.parametrize("which", RIGHT)
def test_each_right_way_passes(which: str) -> None:
    number, source = RIGHT[which]
    assert verdict(exercises(cell(source))[number - 1]) == (True, "")


WRONG = {
    "q1 the default": (1, cookie("refresh={token}"), "its path is /users"),
    "q1 a script": (
        1, cookie("r={token}; Secure; SameSite=Strict; Path=/refresh"), "`document.cookie` (XSS)",
    ),
    "q1 a typing error": (
        1,
        cookie("r={token}; Http-Only; Secure; SameSite=Strict; Path=/refresh"),
        "ignores names that it does not know",
    ),
    "q1 without https": (
        1, cookie("r={token}; HttpOnly; SameSite=Lax; Path=/refresh"), "limits a cookie to https",
    ),
    "q1 any site": (
        1, cookie("r={token}; HttpOnly; Secure; SameSite=None; Path=/refresh"), "(CSRF)",
    ),
    "q1 no SameSite": (1, cookie("r={token}; HttpOnly; Secure; Path=/refresh"), "browsers differ"),
    "q1 a domain": (
        1,
        cookie("r={token}; HttpOnly; Secure; SameSite=Lax; Path=/refresh; Domain=shop.example"),
        "also goes to blog.shop.example",
    ),
    "q1 every path": (
        1, cookie("r={token}; HttpOnly; Secure; SameSite=Strict; Path=/"), "goes with GET /home",
    ),
    "q1 another path": (
        1, cookie("r={token}; HttpOnly; Secure; SameSite=Strict; Path=/home"), "stays behind",
    ),
    "q1 deleted": (
        1,
        cookie("r={token}; HttpOnly; Secure; SameSite=Strict; Path=/refresh; Max-Age=0"),
        "deletes the cookie at once",
    ),
    "q1 a prefix without its rules": (
        1, cookie("__Host-r={token}; HttpOnly; Secure; SameSite=Strict; Path=/refresh"),
        "needs `Path=/` and no `Domain`",
    ),
    "q1 the whole line": (1, cookie("Set-Cookie: r={token}; HttpOnly"), "the value only"),
    "q1 a dict": (1, "refresh_cookie = lambda token: {'HttpOnly': True}", "a value of type dict"),
    "q2 the cookie": (
        2,
        check('request.cookies.get("csrf") == session.csrf_token'),
        "you let through a cross-site form without the token. The browser sends the cookie",
    ),
    "q2 equal halves": (
        2, check('bool(sent) and sent == request.cookies.get("csrf")'), "A subdomain can set",
    ),
    "q2 same-site": (
        2, check('request.headers["Sec-Fetch-Site"] != "cross-site"'), "It is same-site, so",
    ),
    "q2 the origin": (
        2,
        check('request.headers.get("Origin", "").endswith("shop.example")'),
        "you let through a form from blog.shop.example without the token",
    ),
    "q2 any token": (2, check("bool(sent)"), "you let through a wrong token"),
    "q2 the beginning": (
        2,
        check("bool(sent) and session.csrf_token.startswith(sent)"),
        "you let through half of the token",
    ),
    "q2 None equals None": (2, check("sent == session.csrf_token"), "None equals None."),
    "q2 text in hmac": (
        2,
        check("bool(sent and session.csrf_token) "
              "and hmac.compare_digest(sent, session.csrf_token)"),
        "your code raised an error for a token with letters outside ASCII",
    ),
    "q2 every method": (
        2,
        check("bool(sent) and sent == session.csrf_token", safe="False"),
        "you refused a GET of the shop's own page",
    ),
    "q2 only POST": (
        2,
        check("bool(sent) and sent == session.csrf_token", safe='request.method != "POST"'),
        "you let through a cross-site DELETE without the token",
    ),
    "q2 truthy": (2, check("sent and sent == session.csrf_token"), "Return True or False."),
    "q3 one session only": (3, revoked('claims["sid"] in ended'), "before she logged out every"),
    "q3 for ever": (
        3, revoked('claims["sid"] in ended or claims["sub"] in everywhere'), "after she logged out",
    ),
    "q3 that second": (
        3,
        revoked('claims["sid"] in ended or claims["iat"] < everywhere.get(claims["sub"], 0)'),
        "In doubt, refuse.",
    ),
    "q3 no such user": (
        3,
        revoked('claims["sid"] in ended or claims["iat"] <= everywhere[claims["sub"]]'),
        "KeyError: 'eve'",
    ),
    "q3 the end": (
        3,
        revoked('claims["sid"] in ended or claims["exp"] <= everywhere.get(claims["sub"], 0)'),
        "Compare its `iat`",
    ),
    "q3 any user": (
        3,
        revoked('claims["sid"] in ended or claims["iat"] <= max(everywhere.values())'),
        "His own logout was an hour before it.",
    ),
    "q3 nothing": (3, revoked("None"), "Return True or False."),
}  # fmt: skip


@pytest.mark.parametrize("which", WRONG)
def test_each_wrong_way_is_told_what_is_wrong(which: str) -> None:
    number, source, words = WRONG[which]
    right, said = verdict(exercises(cell(source))[number - 1])
    assert not right
    assert words in said


CHEATS = {
    "q1 the server's": (
        1,
        """
        def refresh_cookie(token):
            from demo_server import ServerConfig
            return f"refresh={token}; {ServerConfig}"
        """,
        "`refresh_cookie` uses demo_server",
    ),
    "q1 the first token again": (
        1,
        """
        kept = []

        def refresh_cookie(token):
            kept.append(token)
            return f"r={kept[0]}; HttpOnly; Secure; SameSite=Strict; Path=/refresh"
        """,
        "the cookie's value is not the token",
    ),
    "q1 a text that is equal to anything": (
        1,
        """
        class Any(str):
            def __eq__(self, other): return True
            def partition(self, by): return self, by, self
            __hash__ = str.__hash__

        def refresh_cookie(token):
            return Any("x")
        """,
        "it does not begin with name=value",
    ),
    "q2 the judge's cases": (
        2,
        """
        from jwt_course.lesson_10.judges import csrf_cases

        def may_change(request, session):
            return {c.request.method: c.allowed for c in csrf_cases(session)}[request.method]
        """,
        "`may_change` uses csrf_cases of jwt_course.lesson_10.judges",
    ),
    "q2 the place": (
        2,
        """
        calls = []

        def may_change(request, session):
            calls.append(request)
            return len(calls) <= 4
        """,
        "",
    ),
    "q3 the judge's cases": (
        3,
        """
        def is_revoked(claims, ended, everywhere):
            from jwt_course.lesson_10.judges import revocation_cases
            return next(r for _, c, r in revocation_cases() if c == claims)
        """,
        "`is_revoked` uses jwt_course.lesson_10.judges",
    ),
    "q3 empties the list": (
        3,
        """
        def is_revoked(claims, ended, everywhere):
            found = claims["sid"] in ended or claims["sub"] in everywhere
            ended.clear()
            everywhere.clear()
            return found
        """,
        "is valid, and you said True",
    ),
}


@pytest.mark.parametrize("which", CHEATS)
def test_a_trick_is_seen(which: str) -> None:
    number, source, words = CHEATS[which]
    right, said = verdict(exercises(cell(source))[number - 1])
    assert not right
    assert words in said
