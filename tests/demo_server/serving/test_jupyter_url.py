"""Where a browser finds the demo server. Through a real hub: see test_jupyterhub.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo_server import DemoServer, browser_url
from demo_server.serving import jupyter_url

URL = "http://127.0.0.1:8123"


@pytest.fixture(autouse=True)
def no_jupyter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No Jupyter knows of this process. Gives the folder where one would write its facts."""
    monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX", raising=False)
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def test_outside_jupyter_it_is_the_servers_own(server: DemoServer) -> None:
    assert browser_url(server.url) == f"{server.url}/"


def test_under_a_hub_it_is_below_the_learners_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    assert browser_url(URL) == "/user/ada/proxy/8123/"


def test_under_a_plain_jupyter_it_is_below_its_base_url(
    monkeypatch: pytest.MonkeyPatch, no_jupyter: Path
) -> None:
    (no_jupyter / "jpserver-77.json").write_text('{"base_url": "/room-7/", "pid": 77}')
    assert browser_url(URL) == f"{URL}/"  # another one's
    monkeypatch.setenv("JPY_PARENT_PID", "77")
    assert browser_url(URL) == "/room-7/proxy/8123/"


def test_without_the_proxy_it_is_the_servers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    monkeypatch.setattr(jupyter_url, "find_spec", lambda name: None)
    assert browser_url(URL) == f"{URL}/"
