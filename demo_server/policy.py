"""The server's two policies: what the article does, and what the RFCs recommend.

A policy is one frozen object. The services ask it what to do, and the app asks it how to refuse::

                          article                   rfc
    --------------------  ------------------------  --------------------------------------------
    access token refused  403                       401, `WWW-Authenticate` (RFC 6750, 3)
    not permitted         403                       403 `insufficient_scope` (RFC 6750, 3.1)
    refresh refused       403                       400 `invalid_grant` (RFC 6749, 5.2)
    login refused         401 or 400, says which    401, same response, same time, back-off
    claims                `username`, `iat`, `exp`  `sub`, `iss`, `aud`, `jti`, `sid` too
    header `typ`          `JWT`                     `at+jwt` or `rt+jwt` (RFC 9068)
    refresh token         reusable                  rotated; reuse revokes (RFC 9700, 4.14.2)
    session               refreshed without end     ends at a planned time (`SESSION_TTL`)
    password              1 character or more       8 or more (NIST SP 800-63B-3, 5.1.1.2)
    logout                client deletes tokens     server revokes the session
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .errors import STATUS, DatabaseUnavailable, Refusal, TokenRefused, TooManyAttempts

REALM = "demo_server"


@dataclass(frozen=True)
class ErrorResponse:
    """The response to a refused request.

    Attributes:
        status (int): the HTTP status.
        body (Mapping[str, str]): `message` for people, and `error` for programs unless the RFC
            forbids it.
        headers (Mapping[str, str]): `WWW-Authenticate` or `Retry-After`, if any.
    """

    status: int
    body: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """The points on which the article and the RFCs differ.

    Attributes:
        name (str): "article" or "rfc".
        subject (str): the claim that holds the username.
        pins_claims (bool): tokens name their issuer, audience and type, and the server checks
            them (RFC 8725, sections 3.8 to 3.12).
        rotates (bool): a refresh token is valid once, and a session can be revoked.
        guards_login (bool): a refused login reveals nothing about the account, and repeated
            failures must wait.
        min_password (int): the characters that a new password needs.
        deny: turns a refusal into a response.
    """

    name: str
    subject: str
    pins_claims: bool
    rotates: bool
    guards_login: bool
    min_password: int
    deny: Callable[[Refusal], ErrorResponse] = field(repr=False)


def _deny_as_the_article(refusal: Refusal) -> ErrorResponse:
    body = {"message": refusal.message, "error": refusal.code}
    return ErrorResponse(STATUS[refusal.code], body, _retry_after(refusal))


def _deny_by_the_rfcs(refusal: Refusal) -> ErrorResponse:
    if isinstance(refusal, TokenRefused) and refusal.kind == "refresh":
        if refusal.code == "token_not_yet_valid":
            # Only this server signs, so its own clock was set back. The token will be valid again,
            # and `invalid_grant` would end the session for nothing.
            return _response(503, refusal.code, refusal.message)
        missing = refusal.code == "token_missing"
        return _response(400, "invalid_request" if missing else "invalid_grant", refusal.message)
    if refusal.code == "token_missing":
        # RFC 6750, section 3.1: a request without credentials gets no error code.
        return ErrorResponse(401, {"message": refusal.message}, _challenge(realm=REALM))
    if isinstance(refusal, TokenRefused):
        return _bearer_error(401, "invalid_token", refusal.message)
    if refusal.code == "insufficient_scope":
        return _bearer_error(403, "insufficient_scope", refusal.message)
    if refusal.code in ("user_unknown", "password_wrong"):
        # RFC 9110, section 15.5.2: a 401 always carries a challenge.
        message = "The username or the password is wrong"
        return _response(401, "invalid_credentials", message, _challenge(realm=REALM))
    if refusal.code == "user_exists":
        return _response(409, refusal.code, refusal.message)
    if refusal.code == "request_malformed":
        return _response(400, "invalid_request", refusal.message)
    return _response(STATUS[refusal.code], refusal.code, refusal.message, _retry_after(refusal))


def _retry_after(refusal: Refusal) -> dict[str, str]:
    """For a 429 (RFC 6585, section 4) and a 503 (RFC 9110, section 15.6.4)."""
    if isinstance(refusal, (TooManyAttempts, DatabaseUnavailable)):
        return {"Retry-After": str(refusal.wait)}
    return {}


def _response(
    status: int, error: str, message: str, headers: Mapping[str, str] | None = None
) -> ErrorResponse:
    """With `error` and `error_description` as RFC 6749, section 5.2, names them."""
    body = {"message": message, "error": error, "error_description": message}
    return ErrorResponse(status, body, headers or {})


def _bearer_error(status: int, error: str, message: str) -> ErrorResponse:
    return _response(status, error, message, _challenge(error=error, error_description=message))


def _challenge(**parameters: str) -> dict[str, str]:
    words = ", ".join(f'{name}="{value}"' for name, value in parameters.items())
    return {"WWW-Authenticate": f"Bearer {words}"}


POLICIES: Mapping[str, Policy] = {
    "article": Policy(
        "article",
        subject="username",
        pins_claims=False,
        rotates=False,
        guards_login=False,
        min_password=1,
        deny=_deny_as_the_article,
    ),
    "rfc": Policy(
        "rfc",
        subject="sub",
        pins_claims=True,
        rotates=True,
        guards_login=True,
        min_password=8,
        deny=_deny_by_the_rfcs,
    ),
}
