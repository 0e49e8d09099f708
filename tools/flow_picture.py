"""Draw the flow of an expiry for the text of lesson 01: `notebooks/images/expiry.svg`.

    python tools/flow_picture.py      # `make notebooks` does it too

Viewers of notebooks draw a file's SVG, and no Mermaid.
"""

from __future__ import annotations

from pathlib import Path

from client_widget import AuthClient, EventLog
from client_widget.log.event import action_of
from client_widget.log.pictures.shapes import as_image
from demo_server import DemoClock, DemoServer, ServerConfig

PATH = Path(__file__).parent.parent / "notebooks" / "images" / "expiry.svg"


def expiry() -> str:
    """The flow of `GET /home` one second after the access token has expired, from a real server."""
    clock = DemoClock(start=1_800_000_000, rate=0)
    log = EventLog(clock=clock)
    emit = log.emitter("server")
    with DemoServer(ServerConfig(bcrypt_cost=4), clock=clock, emit=emit, name="flow") as server:
        client = AuthClient(server.url, log=log, clock=clock)
        client.register("grace", "a pass phrase of grace's")
        client.login("grace", "a pass phrase of grace's")
        clock.advance(61)
        client.home()
    return as_image(log.to_svg(action_of(log.action()[0])))


if __name__ == "__main__":
    PATH.write_text(expiry() + "\n", encoding="utf-8")
