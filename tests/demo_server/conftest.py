"""The databases of the tests: one in this process, and one over the wire.

The tests that need MongoDB use the server at TEST_MONGODB_URI if it is given. Else they
start nx-27017.
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from demo_server import DemoServer, open_database

from .api import Api
from .mongodb import NxServer
from .processes import class_server, port_of


@pytest.fixture(scope="session")
def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if os.environ.get("TEST_MONGODB_URI"):
        yield os.environ["TEST_MONGODB_URI"]
        return
    server = NxServer(tmp_path_factory.mktemp("mongodb"), in_memory=True).start()
    yield server.uri
    server.stop()


@pytest.fixture(params=["mongomock", "mongodb"])
def database(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "mongomock":
        yield open_database("mongomock://tests")
        return
    uri = request.getfixturevalue("mongodb_uri")
    database = open_database(f"{uri}/lab_{uuid.uuid4().hex[:8]}")
    yield database
    database.client.drop_database(database.name)
    database.client.close()


@pytest.fixture
def rounds(database: Any) -> int:
    """How often to try for a race: over the wire each try costs much more."""
    return 200 if "mongomock" in type(database).__module__ else 10


@pytest.fixture
def short_switches() -> Iterator[None]:
    """Threads that hand over a thousand times as often as they do by default."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture(scope="session")
def class_server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a class server with one worker, for all tests. Invent your own names."""
    with class_server(tmp_path_factory.mktemp("class")) as running:
        yield f"http://127.0.0.1:{port_of(running)}"


@pytest.fixture(params=["in the kernel", "class server"])
def url(request: pytest.FixtureRequest) -> str:
    """The address of each of the two servers."""
    if request.param == "class server":
        return str(request.getfixturevalue("class_server_url"))
    return str(request.getfixturevalue("server").url)


@pytest.fixture
def api(server: DemoServer) -> Api:
    return Api(server.url)


@pytest.fixture
def tokens(api: Api) -> dict[str, str]:
    """What ada was given at her login just now."""
    api.register()
    tokens: dict[str, str] = api.login()[1]
    return tokens
