"""Firefox without a window, driven through Marionette, the protocol that is built into it.

No driver program is needed: Marionette is JSON over a socket, and its commands are those of
WebDriver (w3.org/TR/webdriver2). A message is `length:[0, id, command, parameters]`, and its answer
`length:[1, id, error, result]`.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

NAMES = ("firefox-esr", "firefox")

#: Seconds in which Firefox must have started, and in which a page must answer.
STARTS_IN = 120.0
ANSWERS_IN = 240.0

# Nobody listens on port 9, so what is not on this machine cannot be reached.
_CUT_OFF = {
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.proxy.no_proxies_on": "localhost, 127.0.0.1",
    "network.proxy.allow_hijacking_localhost": False,
}
_PREFERENCES = {"marionette.port": 0, "ui.prefersReducedMotion": 1, **_CUT_OFF}

# The errors of scripts, with where they come from. Warnings are left out.
_ERRORS = """return Services.console.getMessageArray()
  .filter((it) => it instanceof Ci.nsIScriptError && !(it.flags & Ci.nsIScriptError.warningFlag))
  .filter((it) => it.sourceName.startsWith(arguments[0]))
  .map((it) => `${it.sourceName}:${it.lineNumber}: ${it.errorMessage}`);"""

_COOKIES = """return Services.cookies.cookies
  .map((it) => ({ name: it.name, path: it.path, httpOnly: it.isHttpOnly }));"""


def find_firefox() -> str:
    """The path of Firefox: `$FIREFOX_PATH` if that is set, else the first of `NAMES` on the PATH.

    Raises:
        LookupError: there is none; the message says what to do.
    """
    given = os.environ.get("FIREFOX_PATH")
    path = next(filter(None, map(shutil.which, [given] if given else NAMES)), None)
    if path is None:
        raise LookupError("There is no Firefox: install one, or set FIREFOX_PATH")
    return path


class Firefox:
    """One window of a running Firefox. What `Lesson` needs has the names of Playwright's page."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWERS_IN)
        self._answers = self._socket.makefile("rb")
        self._count = 0
        self._receive()  # it says hello
        timeouts = {"script": int(ANSWERS_IN * 1000), "pageLoad": int(ANSWERS_IN * 1000)}
        self._do("NewSession", capabilities={"alwaysMatch": {"timeouts": timeouts}})
        self._do("SetWindowRect", width=1400, height=1100)

    def goto(self, url: str) -> None:
        """Open a page; returns when it has loaded."""
        self._do("Navigate", url=url)

    def evaluate(self, expression: str, arg: Any = None) -> Any:
        """What a JavaScript function returns in the page; a promise is waited for."""
        script = f"return ({expression})(arguments[0])"
        return self._do("ExecuteScript", script=script, args=[arg], sandbox=None)["value"]

    def wait_for_function(self, expression: str, *, arg: Any = None) -> None:
        """Wait until a JavaScript function returns something true.

        Raises:
            TimeoutError: it has not within `ANSWERS_IN` seconds.
        """
        deadline = time.monotonic() + ANSWERS_IN
        while not self.evaluate(expression, arg):
            if time.monotonic() > deadline:
                raise TimeoutError(f"Not within {ANSWERS_IN:g} s: {expression} {arg or ''}")
            time.sleep(0.1)

    def click(self, xpath: str) -> None:
        """Click the first element of that path, as a mouse does."""
        self._do("ElementClick", id=self._find(xpath))

    def type(self, xpath: str, text: str) -> None:
        """Replace what a field says with the keyboard."""
        field = self._find(xpath)
        self._do("ElementClear", id=field)
        self._do("ElementSendKeys", id=field, text=text)

    def cookies(self) -> list[dict[str, Any]]:
        """Every cookie: its `name`, `path` and `httpOnly`."""
        cookies: list[dict[str, Any]] = self._as_firefox(_COOKIES)
        return cookies

    def forget_cookies(self) -> None:
        """Delete every cookie."""
        self._as_firefox("Services.cookies.removeAll()")

    def errors(self, origin: str) -> list[str]:
        """The errors of scripts of that origin, since Firefox started."""
        errors: list[str] = self._as_firefox(_ERRORS, origin)
        return errors

    def picture(self, path: Path) -> None:
        """Save a PNG picture of what the window shows."""
        data = self._do("TakeScreenshot", full=False, hash=False)["value"]
        path.write_bytes(base64.b64decode(data))

    def close(self) -> None:
        """Close the connection."""
        self._answers.close()
        self._socket.close()

    def _as_firefox(self, script: str, *arguments: Any) -> Any:
        """What a script returns that runs as a part of Firefox, not of a page."""
        self._do("SetContext", prefix="Marionette", value="chrome")
        try:
            return self._do("ExecuteScript", script=script, args=arguments)["value"]
        finally:
            self._do("SetContext", prefix="Marionette", value="content")

    def _find(self, xpath: str) -> str:
        element: dict[str, str] = self._do("FindElement", using="xpath", value=xpath)["value"]
        return next(iter(element.values()))

    def _do(self, command: str, *, prefix: str = "WebDriver", **parameters: Any) -> Any:
        self._count += 1
        message = json.dumps([0, self._count, f"{prefix}:{command}", parameters]).encode()
        self._socket.sendall(b"%d:%b" % (len(message), message))
        _, _, error, result = self._receive()
        if error is not None:
            raise RuntimeError(f"{command}: {error['error']}: {error['message']}")
        return result

    def _receive(self) -> Any:
        length = b""
        while (digit := self._answers.read(1)) != b":":
            if not digit:
                raise ConnectionError("Firefox has closed the connection")
            length += digit
        return json.loads(self._answers.read(int(length)))


@contextmanager
def firefox() -> Iterator[Firefox]:
    """A Firefox with a new profile, which reaches this machine only.

    Raises:
        LookupError: there is no Firefox.
        TimeoutError: it has not started; the message ends with what it said.
    """
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        profile, said = Path(folder, "profile"), Path(folder, "said")
        profile.mkdir()
        preferences = [
            f"user_pref({json.dumps(n)}, {json.dumps(v)});" for n, v in _PREFERENCES.items()
        ]
        (profile / "user.js").write_text("\n".join(preferences))
        command = [find_firefox(), "--headless", "--no-remote", "--profile", str(profile)]
        command += ["--marionette", "--remote-allow-system-access"]  # `_as_firefox`
        with said.open("w") as output:
            process = subprocess.Popen(
                command, env={**os.environ, "HOME": folder}, stdout=output, stderr=output
            )
        try:
            window = Firefox(_port(profile / "MarionetteActivePort", process, said))
            try:
                yield window
            finally:
                window.close()
        finally:
            process.terminate()
            process.wait()


def _port(file: Path, process: subprocess.Popen[bytes], said: Path) -> int:
    deadline = time.monotonic() + STARTS_IN
    while not (file.exists() and file.read_text()):
        if process.poll() is not None or time.monotonic() > deadline:
            raise TimeoutError(f"Firefox did not start:\n{said.read_text()[-2000:]}")
        time.sleep(0.1)
    return int(file.read_text())
