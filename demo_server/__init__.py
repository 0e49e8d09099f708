"""The article's backend: register, log in, `/home` and `/refresh`, in this process.

    server = DemoServer(clock=clock, emit=log.emitter("server")).start()

Start reading at `routes.py`, then `auth_service.py` and `tokens.py`.
"""

from importlib.metadata import version

from .app import create_app
from .clock import DemoClock
from .config import ServerConfig
from .database import open_database
from .emit import Emit
from .errors import (
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

__version__ = version("jwt-refresh-lab")

__all__ = [
    "ConfigError",
    "DatabaseUnavailable",
    "DemoClock",
    "DemoServer",
    "DemoServerError",
    "Emit",
    "Refusal",
    "ServerConfig",
    "TokenRefused",
    "TooManyAttempts",
    "UserExists",
    "__version__",
    "browser_url",
    "create_app",
    "open_database",
]
