"""The article's backend in this process: register, log in, `/home` and `/refresh`.

    server = DemoServer(clock=clock, emit=log.emitter("server")).start()

Start reading at `routes.py`, then `auth_service.py` and `tokens.py`.
"""

from importlib.metadata import version

from .app import create_app
from .clock import DemoClock
from .config import ServerConfig
from .database import Database, open_database
from .emit import Emit
from .errors import (
    ConfigError,
    DatabaseUnavailable,
    DemoServerError,
    Refusal,
)
from .jupyter_url import browser_url
from .server import DemoServer

__version__ = version("jwt-refresh-lab")

__all__ = [
    "ConfigError",
    "Database",
    "DatabaseUnavailable",
    "DemoClock",
    "DemoServer",
    "DemoServerError",
    "Emit",
    "Refusal",
    "ServerConfig",
    "__version__",
    "browser_url",
    "create_app",
    "open_database",
]
