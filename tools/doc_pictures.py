"""Draw the pictures of docs/architecture.md into docs/images: `python tools/doc_pictures.py`.

The maps of the layers come from the import contracts of pyproject.toml, the session from the log of
a real server.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import svg

from client_widget import AuthClient, EventLog, LoginRequired
from client_widget.log.pictures.shapes import (
    Role,
    arrow,
    as_image,
    box,
    drawing,
    label,
    line,
    width_of,
)
from demo_server import DemoClock, DemoServer, ServerConfig

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "images"

#: The maps, and the contract that each of them draws.
MAPS = {
    "server_layers.svg": "The server's layers",
    "client_layers.svg": "The client's layers",
}

_HEIGHT, _GAP, _MARGIN = 30, 22, 12


def pictures() -> Iterator[tuple[str, str]]:
    """The name of each file, and the SVG text that belongs into it."""
    yield "data_flow.svg", as_image(data_flow(), alone=True)
    yield "session.svg", as_image(session(), alone=True)
    for name, contract in MAPS.items():
        yield name, as_image(layers(contract), alone=True)


def layers(contract: str) -> str:
    """The layers of an import contract, one below the other."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    found = next(each["layers"] for each in contracts if each["name"] == contract)
    rows = [[module.strip() for module in layer.split("|")] for layer in found]
    widths = [[width_of(name) + 20 for name in row] for row in rows]
    width = max(sum(row) + 8 * (len(row) - 1) for row in widths) + 2 * _MARGIN
    parts: list[svg.Element] = []
    for number, row in enumerate(rows):
        y = _MARGIN + number * (_HEIGHT + _GAP)
        x = (width - sum(widths[number]) - 8 * (len(row) - 1)) / 2
        for name, wide in zip(row, widths[number], strict=True):
            parts += _named(x, y, wide, name)
            x += wide + 8
        if number:
            parts += _down(width / 2, y - _GAP + 2, y - 2)
    height = 2 * _MARGIN + len(rows) * (_HEIGHT + _GAP) - _GAP
    words = "\n".join(", ".join(row) for row in rows)
    return drawing(contract, f"Each imports what is below it.\n{words}", width, height, parts)


def session() -> str:
    """A session from login to its end, from the log of a real server."""
    clock = DemoClock(start=1_800_000_000, rate=0)
    log = EventLog(clock=clock)
    with DemoServer(ServerConfig(bcrypt_cost=4), clock=clock, name="session") as server:
        AuthClient(server.url, clock=clock).register("grace", "a pass phrase of grace's")
        client = AuthClient(server.url, log=log, clock=clock)
        client.login("grace", "a pass phrase of grace's")
        client.home()
        clock.advance(61)
        client.home()
        clock.advance(301)
        try:
            client.home()
        except LoginRequired:
            return log.to_svg()
    raise AssertionError("the session has not ended")


def data_flow() -> str:
    """How a click reaches the database, and how the log learns of it."""
    parts: list[svg.Element] = []
    chain = ["a click", "panel", "AuthClient", "routes", "AuthService", "database"]
    gaps = [30, 30, 66, 30, 30, 0]
    x, at = float(_MARGIN), {}
    for name, gap in zip(chain, gaps, strict=True):
        width = width_of(name) + 28
        parts += _named(x, 20, width, name)
        at[name] = x + width / 2
        if gap:
            parts += arrow(x + width, x + width + gap, 35, "muted")
        x += width + gap
    parts.append(label((at["AuthClient"] + at["routes"]) / 2 + 10, 28, "HTTP", "muted"))
    parts += _named(at["AuthClient"] - 46, 80, 92, "auth_flow")
    parts += _down(at["AuthClient"], 52, 78)
    left, right, low = at["panel"] - 50, at["AuthService"] + 60, 170
    parts += _named(left, low, right - left, "EventLog")
    parts += _down(at["AuthService"], 52, low - 2, dashed=True)
    parts += _down(at["AuthClient"] + 54, 52, low - 2, dashed=True)
    parts += _down(at["panel"], low - 2, 52, dashed=True)
    for name, beside, words in [
        ("panel", 8, "subscribers"),
        ("AuthClient", 62, "events"),
        ("AuthService", 8, "events"),
    ]:
        parts.append(label(at[name] + beside, 140, words, "muted", anchor="start"))
    return drawing(
        "How data flows",
        "A click reaches panel, AuthClient, routes over HTTP, AuthService and the database. "
        "AuthClient drives auth_flow. AuthClient and AuthService send events to EventLog, "
        "whose subscribers update the panel.",
        x + _MARGIN,
        low + _HEIGHT + _MARGIN,
        parts,
    )


def _named(x: float, y: float, width: float, name: str) -> list[svg.Element]:
    """A box with its name in it."""
    return [box(x, y, width, _HEIGHT, "box"), label(x + width / 2, y + 19, name, "mono")]


def _down(
    x: float, start: float, end: float, role: Role = "muted", *, dashed: bool = False
) -> list[svg.Element]:
    """A vertical arrow, down or up."""
    way = 1 if end > start else -1
    back = end - 7 * way
    points = [svg.Point(x, end), svg.Point(x - 4, back), svg.Point(x + 4, back)]
    return [
        line(x, start, x, back, role, *(["dashed"] if dashed else [])),
        svg.Polygon(points=points, class_=["head", role]),
    ]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, picture in pictures():
        (FOLDER / file).write_text(picture + "\n", encoding="utf-8")
