"""Pictures of lesson 10: which attack gets through where, and a backend for frontend."""

from __future__ import annotations

from client_widget.log.pictures.shapes import Element, Role, arrow, badge, box, drawing, label

from ..outputs import Picture

# The columns of the picture: browser, the app's own server, login server.
_WIDTH, _HEIGHT, _BOX, _TOP = 760, 222, 176, 46
_LEFTS = (16, 292, 568)

_BFF = (
    "The browser has a session cookie, HttpOnly and SameSite. The backend for frontend has the "
    "access token and the refresh token. The page sends POST /api/note with the cookie and "
    "X-CSRF-Token; the backend sends the same to the API with Authorization: Bearer. "
    "When the access token has expired, the backend refreshes it, and the page notices nothing."
)


def bff_picture() -> Picture:
    """A backend for frontend: the tokens are on a server of the app, and the browser has none."""
    browser, bff, api = _LEFTS
    parts: list[Element] = [box(0, 0, _WIDTH, _HEIGHT, "back", radius=0)]
    parts += _column(browser, "browser", "client", [("session cookie", "ok")])
    parts += _column(
        bff, "backend for frontend", "server", [("access token", "access"), ("refresh token", "ok")]
    )
    parts += _column(
        api, "the other servers", "server", [("API", "plain"), ("login server", "plain")]
    )
    messages: list[tuple[float, str, float, float, Role]] = [
        (90, "cookie, X-CSRF-Token", browser, bff, "client"),
        (90, "Bearer …", bff, api, "server"),
        (136, "POST /refresh", bff, api, "server"),
    ]
    for y, words, start, end, role in messages:
        parts += _message(start + _BOX, end, y, words, role)
    note = "No script in the page can read a token: there is none in the browser."
    parts.append(label(16, _HEIGHT - 16, note, "muted", anchor="start"))
    return Picture(drawing("Backend for frontend", _BFF, _WIDTH, _HEIGHT, parts), _BFF)


def _column(x: float, name: str, role: Role, kept: list[tuple[str, Role]]) -> list[Element]:
    parts: list[Element] = [
        label(x + _BOX / 2, 30, name, "strong", role),
        box(x, _TOP, _BOX, 134, "box", role),
    ]
    for number, (words, its) in enumerate(kept):
        parts += badge(x + _BOX / 2, _TOP + 44 + 46 * number, words, its)
    return parts


def _message(start: float, end: float, y: float, words: str, role: Role) -> list[Element]:
    middle = (start + end) / 2
    return [*arrow(start, end, y, role), *_two_lines(middle, y, words)]


def _two_lines(x: float, y: float, words: str) -> list[Element]:
    lines = words.split(", ")
    return [
        label(x, y - 8 - 15 * (len(lines) - 1 - number), line, "muted")
        for number, line in enumerate(lines)
    ]
