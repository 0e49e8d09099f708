"""The URL under which the user's browser reaches a server in this process.

With JupyterHub or Binder the browser runs on another machine and cannot reach loopback here.
jupyter-server-proxy, a Jupyter extension, forwards its requests.
"""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit


def browser_url(url: str) -> str:
    """The address at which the browser that shows the notebook reaches the server at `url`.

    Args:
        url (str): `http://127.0.0.1:PORT`, as in `DemoServer.url`.

    Returns:
        str: with a trailing slash. If Jupyter has jupyter-server-proxy, a path on Jupyter's host
            such as `/user/ada/proxy/PORT/`; otherwise `url`.
    """
    base = _jupyter_base_url() if find_spec("jupyter_server_proxy") else None
    if base is None:
        return f"{url}/"
    return f"{base}proxy/{urlsplit(url).port}/"


def _jupyter_base_url() -> str | None:
    """The base path of the Jupyter server that runs this kernel, or None."""
    hub = os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
    if hub:
        return hub
    # Not at the top: a browser tab has no Jupyter server.
    from jupyter_core.paths import jupyter_runtime_dir

    # Without a hub: a Jupyter server writes its base URL to a file named after its process id,
    # which its kernels know.
    facts = Path(jupyter_runtime_dir()) / f"jpserver-{os.environ.get('JPY_PARENT_PID')}.json"
    try:
        return str(json.loads(facts.read_text())["base_url"])
    except FileNotFoundError:
        return None
