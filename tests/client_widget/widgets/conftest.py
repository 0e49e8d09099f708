"""A panel for the tests of its buttons."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from client_widget import AuthClient, LoginPanel
from demo_server import DemoClock


@pytest.fixture
def panel(client: AuthClient, clock: DemoClock) -> Iterator[LoginPanel]:
    panel = LoginPanel(client, clock=clock)
    yield panel
    panel.wait()
    panel.close()
