"""A hub of `deploy/jupyterhub` for tests, and a learner who uses it over HTTP.

The hub, its proxy and its spawner are the real ones, on free ports and in their own folder.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import uuid
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import nbformat
import psutil
import requests
import websocket

from .made import PATIENCE, ROOT, Made, lab_folder

DEPLOY = ROOT / "deploy" / "jupyterhub"
PROXY = DEPLOY / "node_modules" / ".bin" / "configurable-http-proxy"


def free_ports(count: int) -> list[int]:
    """Ports that are free now, each another one."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Hub:
    """A running hub.

    Args:
        folder (Path): where it keeps everything, and where it runs.
        settings (str): further environment, such as `HUB_IDLE="5"`.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        assert PROXY.exists(), "The hub's proxy is not installed: run `make hub-proxy`"
        self.folder = folder
        public, api, hub = free_ports(3)
        self.url = f"http://127.0.0.1:{public}"
        addresses = [
            f"--JupyterHub.bind_url={self.url}",
            f"--JupyterHub.hub_bind_url=http://127.0.0.1:{hub}",
            f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{api}",
        ]
        self._made = Made(
            lab_folder(folder),
            "hub",
            f"HUB_ARGS={' '.join(addresses)}",
            env=os.environ | {"HUB_STATE": str(folder / "state")} | settings,
        )
        try:
            self._made.wait_for(self._answers)
        except BaseException:
            self.stop()
            raise

    def _answers(self) -> bool:
        with suppress(requests.ConnectionError):
            return requests.get(f"{self.url}/hub/health", timeout=PATIENCE).ok
        return False

    def log(self) -> str:
        """What it and all that it started have written."""
        return self._made.log()

    def password(self, name: str = "password") -> str:
        """The password that it keeps in the file of that name."""
        return (self.folder / "state" / name).read_text().strip()

    def processes(self) -> list[psutil.Process]:
        """The hub and all that it started: proxy, servers, kernels."""
        return self._made.processes()

    def stop(self, ending: signal.Signals = signal.SIGINT) -> list[psutil.Process]:
        """End it by Ctrl-C, or as a service manager would; return what was left of it."""
        return self._made.end(ending)


class Learner:
    """Somebody who logs in at a hub, by the form, as a browser does."""

    def __init__(self, hub: Hub, name: str, password: str | None = None) -> None:
        self.hub, self.name = hub, name
        self.server = f"{hub.url}/user/{name}"
        self.browser = requests.Session()
        self.browser.get(f"{hub.url}/hub/login", timeout=PATIENCE)
        form = {
            "username": name,
            "password": hub.password() if password is None else password,
            "_xsrf": self._xsrf(),
        }
        self.login = self.browser.post(
            f"{hub.url}/hub/login", data=form, timeout=PATIENCE, allow_redirects=False
        )
        self.token = ""
        self.kernel: Kernel | None = None

    def _xsrf(self) -> str:
        return next(c.value or "" for c in self.browser.cookies if c.name == "_xsrf")

    def get_token(self) -> None:
        """Get a token for the APIs of the hub and of the learner's server."""
        answer = self.browser.post(
            f"{self.hub.url}/hub/api/users/{self.name}/tokens",
            json={"note": "test"},
            headers={"X-XSRFToken": self._xsrf()},
            timeout=PATIENCE,
        )
        answer.raise_for_status()
        self.token = answer.json()["token"]

    def call(self, method: str, url: str, **rest: Any) -> requests.Response:
        """A request to an API with the learner's token."""
        headers = {"Authorization": f"token {self.token}"}
        return requests.request(method, url, headers=headers, timeout=PATIENCE, **rest)

    def start_server(self) -> None:
        """Start the learner's server and wait until it is there.

        Raises:
            AssertionError: it did not come up.
        """
        user = f"{self.hub.url}/hub/api/users/{self.name}"
        self.call("POST", f"{user}/server").raise_for_status()
        # The events of the start; they end when it has ended.
        progress = self.call("GET", f"{user}/server/progress")
        assert '"ready": true' in progress.text, self.hub.log()

    def stop_server(self) -> None:
        """Stop the learner's server and wait until it is gone."""
        user = f"{self.hub.url}/hub/api/users/{self.name}"
        self.call("DELETE", f"{user}/server").raise_for_status()
        until = time.monotonic() + PATIENCE
        while self.call("GET", user).json()["servers"]:
            assert time.monotonic() < until, self.hub.log()
            time.sleep(0.5)

    def start_kernel(self) -> None:
        """Start a kernel in the folder of the learner's lessons."""
        facts = {"name": "python3", "path": "my-course"}
        answer = self.call("POST", f"{self.server}/api/kernels", json=facts)
        answer.raise_for_status()
        self.kernel = Kernel(self, answer.json()["id"])

    def run(self, code: str) -> str:
        """What the code shows in the learner's kernel, as text."""
        assert self.kernel is not None
        return self.kernel.run(code)

    def notebook(self, name: str) -> nbformat.NotebookNode:
        """The learner's copy of a notebook, as their server gives it."""
        answer = self.call("GET", f"{self.server}/api/contents/my-course/{name}")
        answer.raise_for_status()
        return nbformat.from_dict(answer.json()["content"])


class Kernel:
    """A kernel behind a Jupyter server's web socket."""

    def __init__(self, owner: Learner, identity: str) -> None:
        url = f"{owner.server}/api/kernels/{identity}/channels".replace("http", "ws", 1)
        self._socket = websocket.create_connection(
            url, header=[f"Authorization: token {owner.token}"], timeout=PATIENCE
        )

    def run(self, code: str) -> str:
        """Run a cell, and give what it shows as text.

        Raises:
            AssertionError: the cell raised.
        """
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": "execute_request",
            "session": "tests",
            "username": "tests",
            "version": "5.3",
        }
        # A cell that fails must not take the next one with it.
        content = {"code": code, "silent": False, "allow_stdin": False, "stop_on_error": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self._socket.send(json.dumps(message | {"channel": "shell"}))
        shown = ""
        until = time.monotonic() + PATIENCE
        while True:
            assert time.monotonic() < until, "the kernel does not answer"
            # Pings too, which come from the server even if the kernel is gone.
            kind, data = self._socket.recv_data(control_frame=True)
            if kind != websocket.ABNF.OPCODE_TEXT:
                continue
            answer = json.loads(data)
            if answer["parent_header"].get("msg_id") != header["msg_id"]:
                continue
            kind, content = answer["msg_type"], answer["content"]
            assert kind != "error", "\n".join(content["traceback"])
            if kind in ("stream", "execute_result", "display_data"):
                shown += text_of(content)
            if kind == "status" and content["execution_state"] == "idle":
                return shown

    def close(self) -> None:
        """Close the connection; the kernel goes on."""
        self._socket.close()


def text_of(output: Any) -> str:
    """An output as text, be it a notebook's or a message's."""
    return str(output["text"] if "text" in output else output["data"]["text/plain"])
