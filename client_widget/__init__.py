"""The client's side of token login: a client that refreshes, its log, and widgets to watch both.

    client = AuthClient(server.url, log=log, clock=clock)
    LoginPanel(client, clock=clock)

Start reading at `protocol/auth_flow.py`: it is the protocol. `client/auth_client.py` drives it
over HTTP, `log/` records what happens, and `widgets/` shows it. A package uses those to its right:
`widgets → client, tour → log → protocol`.

`__init__.pyi` lists the public names. Each is loaded when you first use it (PEP 562), so
`from client_widget import AuthClient` loads no widget library.
"""

import sys
from importlib.metadata import version

import lazy_loader

if sys.platform == "emscripten":  # a browser tab
    from warnings import filterwarnings

    from . import green_threads

    green_threads.install()  # first: what is imported next makes locks

    from .client import in_process

    in_process.install()
    filterwarnings("ignore", "only soft file lock", UserWarning)  # it has one process

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = version("jwt-refresh-lab")
__all__ += ["__version__"]
