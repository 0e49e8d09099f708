"""The article's backend in this process: register, log in, `/home` and `/refresh`.

    server = DemoServer(clock=clock, emit=log.emitter("server")).start()

Start reading at `web/routes.py`, then `auth/auth_service.py` and `auth/tokens.py`.
"""

from importlib.metadata import version

from .app import create_app
from .clock import DemoClock
from .config import ServerConfig
from .emit import Emit
from .errors import (
    ConfigError,
    DatabaseUnavailable,
    DemoServerError,
    Refusal,
)
from .server import DemoServer
from .serving.jupyter_url import browser_url
from .storage.database import Database, open_database

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
