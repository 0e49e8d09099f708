"""Where a browser finds a server that listens in this process.

With JupyterHub or Binder the browser runs on another machine, so it cannot reach loopback here.
jupyter-server-proxy, an extension of Jupyter, passes its requests on.
"""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from jupyter_core.paths import jupyter_runtime_dir


def browser_url(url: str) -> str:
    """Where the browser that shows the notebook finds the server at `url`.

    Args:
        url (str): `http://127.0.0.1:PORT`, as in `DemoServer.url`.

    Returns:
        str: with a slash at the end. Where Jupyter has jupyter-server-proxy, a path on Jupyter's
            own host, such as `/user/ada/proxy/PORT/`; else `url`.
    """
    base = _jupyter_base_url()
    if base is None or find_spec("jupyter_server_proxy") is None:
        return f"{url}/"
    return f"{base}proxy/{urlsplit(url).port}/"


def _jupyter_base_url() -> str | None:
    """The path under which the Jupyter of this kernel is served, or None without one."""
    hub = os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
    if hub:
        return hub
    # Without a hub: a Jupyter server writes its base URL into a file named after its process,
    # and its kernels know that process.
    facts = Path(jupyter_runtime_dir()) / f"jpserver-{os.environ.get('JPY_PARENT_PID')}.json"
    try:
        return str(json.loads(facts.read_text())["base_url"])
    except FileNotFoundError:
        return None
