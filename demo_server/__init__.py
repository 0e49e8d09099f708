"""The article's backend: register, log in, `/home` and `/refresh`, in this process.

    server = DemoServer(clock=clock, emit=log.emitter("server")).start()

Start reading at `routes.py`, then `services.py` and `tokens.py`.
"""

from .app import create_app
from .clock import DemoClock
from .config import ServerConfig
from .database import open_database
from .errors import (
    STATUS,
    ConfigError,
    DatabaseUnavailable,
    DemoServerError,
    Refusal,
    TokenRefused,
    TooManyAttempts,
    UserExists,
)
from .jupyter_url import browser_url
from .server import DemoServer

__all__ = [
    "STATUS",
    "ConfigError",
    "DatabaseUnavailable",
    "DemoClock",
    "DemoServer",
    "DemoServerError",
    "Refusal",
    "ServerConfig",
    "TokenRefused",
    "TooManyAttempts",
    "UserExists",
    "browser_url",
    "create_app",
    "open_database",
]
