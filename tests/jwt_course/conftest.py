"""Prose stays in one line here, so that a test can compare a sentence with what was printed."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("client_widget.display.COLUMNS", 10_000)
