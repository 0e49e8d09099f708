"""The routes of a cookie session: the browser keeps the tokens, and no script can read them.

Next to the routes of the article, which send the tokens to the page. `COOKIE_SESSION` switches them
on and names their `CookieProtection`; they need the policy `rfc`, which knows sessions::

    cookie            Path             read by a script  what for
    ----------------  ---------------  ----------------  -------------------------------------
    __Host-access     /                no (HttpOnly)     the access token
    __Secure-refresh  /cookie/refresh  no (HttpOnly)     the refresh token, for one route only
    __Host-csrf       /                yes               the page repeats it in `X-CSRF-Token`

All of them are `Secure`. Chromium and Firefox treat http on a loopback address as secure, so the
lab works there without https; Safari does not. A name that begins with `__Host-` is accepted only
with `Secure`, `Path=/` and without `Domain`, so a subdomain cannot plant it; `__Secure-` only asks
for `Secure` and leaves the path free (RFC 6265bis, section 4.1.3). No cookie is bound to a port:
other servers of the same host receive them too (RFC 6265, section 8.5).
"""

from __future__ import annotations

from flask import Flask, Response, g, jsonify, request

from ..auth.auth_service import AuthService, Grant, Identity
from ..config import ServerConfig
from ..cookie_protection import COOKIES, CSRF_COOKIE, CSRF_HEADER, PROTECTIONS
from ..errors import Refusal, malformed
from ..storage.users import MAX_NOTE
from .csrf_tokens import CsrfTokens
from .parsing import body_of, credentials_in, text_in

#: The only path to which the browser sends the refresh token.
REFRESH_PATH = "/cookie/refresh"


def add_cookie_routes(app: Flask, service: AuthService, config: ServerConfig) -> None:
    """Add the routes of a cookie session to `app`, if `config.cookie_session` names one."""
    if not config.cookie_session:
        return
    protection = PROTECTIONS[config.cookie_session]
    csrf_tokens = CsrfTokens(config.refresh_token_secret)

    def owner_of_cookie() -> Identity:
        """The user of the access cookie. A later refusal is an event of this user."""
        owner = service.authenticate(
            request.cookies.get(COOKIES["access"]), missing="The request carries no access cookie"
        )
        g.username = owner.username
        return owner

    def check_csrf(owner: Identity) -> None:
        """Refuse a request that the user's own page did not send."""
        if protection.csrf_token:
            g.username = owner.username
            in_cookie = request.cookies.get(CSRF_COOKIE, "")
            csrf_tokens.check(owner.family, in_cookie, request.headers.get(CSRF_HEADER, ""))

    def check_login() -> None:
        """Refuse a login by another site, which would put its own account into this browser.

        There is no session yet that a token could be bound to, so the browser's word counts: it
        sends `Sec-Fetch-Site`, and no page can set it (Fetch Metadata Request Headers, W3C).
        """
        if protection.csrf_token and site_of_request() in ("same-site", "cross-site"):
            raise Refusal("cross_site_request", "Another site sent this login")

    def with_cookies(answer: Response, grant: Grant) -> Response:
        assert grant.refresh is not None
        set_cookie(answer, COOKIES["access"], grant.access, config.access_token_ttl)
        set_cookie(answer, COOKIES["refresh"], grant.refresh, config.refresh_token_ttl)
        if protection.csrf_token:
            token = csrf_tokens.issue(grant.session)
            set_cookie(answer, CSRF_COOKIE, token, config.refresh_token_ttl)
        return answer

    def set_cookie(answer: Response, name: str, value: str, max_age: int) -> None:
        """Set a cookie for `max_age` seconds; 0 deletes it."""
        answer.set_cookie(
            name,
            value,
            max_age=max_age,
            path=REFRESH_PATH if name == COOKIES["refresh"] else "/",
            secure=True,
            httponly=name != CSRF_COOKIE,
            samesite=protection.same_site,
        )
        # Caches must not keep them, as in RFC 6749, section 5.1.
        answer.headers["Cache-Control"] = "no-store"

    @app.post("/cookie/login")
    def cookie_login() -> tuple[Response, int]:
        check_login()
        username, password = credentials_in(request)
        grant = service.login(username, password)
        return with_cookies(jsonify(message=f"Welcome {username}"), grant), 201

    @app.post(REFRESH_PATH)
    def cookie_refresh() -> Response:
        grant = service.refresh(request.cookies.get(COOKIES["refresh"]), check=check_csrf)
        return with_cookies(jsonify(message="Refreshed"), grant)

    @app.get("/cookie/home")
    def cookie_home() -> Response:
        owner = owner_of_cookie()
        return jsonify(message=f"Welcome {owner.username}", note=service.note_of(owner))

    @app.post("/cookie/note")
    def cookie_note() -> Response:
        owner = owner_of_cookie()
        check_csrf(owner)
        note = text_in(body_of(request), "note")
        if len(note) > MAX_NOTE:
            raise malformed(f"The note has more than {MAX_NOTE} characters.")
        service.write_note(owner, note)
        return jsonify(note=note)

    @app.post("/cookie/logout")
    def cookie_logout() -> tuple[Response, int]:
        owner = owner_of_cookie()
        check_csrf(owner)
        service.logout(owner)
        answer = Response()
        for cookie in (*COOKIES.values(), CSRF_COOKIE):
            set_cookie(answer, cookie, "", 0)
        return answer, 204


def site_of_request() -> str:
    """Which page sent the current request, by the browser's word; "" if it did not say.

    Returns:
        str: "same-origin"; "same-site": another port or subdomain; "cross-site"; or "none": the
            user typed the address.
    """
    site = request.headers.get("Sec-Fetch-Site", "")
    return site if site in ("same-origin", "same-site", "cross-site", "none") else ""
