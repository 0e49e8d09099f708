"""The front end: the article's login and home pages, served at `/app/`.

It is plain JavaScript without a build step: the browser loads the files of this folder as they are.
Begin with `main.js`; each interceptor is one module. The page finds the server relative to
its own URL, so it also works behind jupyter-server-proxy.

A request names one of the files below; a path is never built from it.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response
from werkzeug.exceptions import NotFound

from ...policy import Policy

#: Where the page is.
PATH = "/app"

FOLDER = Path(__file__).parent

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

#: The page runs its own scripts and styles, and talks to its own server. No text becomes markup.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
        "require-trusted-types-for 'script'",
    ]
)

_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # The next version of the lab can be on the same port.
    "Cache-Control": "no-store",
}


def source_of(name: str) -> str:
    """The text of a file of the front end, such as "single_flight.js".

    Raises:
        KeyError: the front end has no such file.
    """
    return _files()[name].read_text(encoding="utf-8")


def add_front_end(app: Flask, policy: Policy) -> None:
    """Serve the front end at `PATH`. The page is told the name of the server's policy."""
    bodies = {name: path.read_bytes() for name, path in _files().items()}
    page = bodies.pop("index.html").replace(b"{{ policy }}", policy.name.encode())

    @app.get(PATH)
    def front_end() -> Response:
        # A relative address: behind a proxy only the browser knows the absolute one.
        return Response(status=308, headers={"Location": f"{PATH[1:]}/"})

    @app.get(f"{PATH}/")
    def front_end_page() -> Response:
        return _response("index.html", page)

    @app.get(f"{PATH}/<file>")
    def front_end_file(file: str) -> Response:
        if file not in bodies:
            raise NotFound
        return _response(file, bodies[file])


def _files() -> dict[str, Path]:
    """The files that are served, by name."""
    return {path.name: path for path in sorted(FOLDER.iterdir()) if path.suffix in _TYPES}


def _response(name: str, body: bytes) -> Response:
    return Response(body, content_type=_TYPES[Path(name).suffix], headers=_HEADERS)
