"""The teacher's notebook: to its end against a real server, and with the class that it plays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jwt_course import class_live, join

from client_widget import AuthClient

from ..conftest import PASSWORD
from ..demo_server.processes import class_server, port_of

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "class_live.ipynb"


def run_notebook() -> dict[str, Any]:
    """Run the code cells, and return what they have defined."""
    names: dict[str, Any] = {}
    for cell in json.loads(NOTEBOOK.read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    return names


@pytest.mark.parametrize("policy", ["article", "rfc"])
def test_it_runs_to_its_end_against_a_real_server(
    policy: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = {"CLASS_LOG": "1", "CLASS_CLOCK": "1", "AUTH_POLICY": policy}
    settings |= {"TEACHERS": "tess", "TEACHER_PASSWORD": PASSWORD}
    with class_server(tmp_path, **settings) as running:
        url = f"http://127.0.0.1:{port_of(running)}"
        ada = join(url, "ada", PASSWORD)
        ada.leave()
        step = {"lesson": "04", "exercise": "q2", "what": "check", "correct": False, "times": 3}
        ada.report(step)
        ada.look()
        monkeypatch.setenv("SERVER_URL", url)
        monkeypatch.setattr("builtins.input", lambda prompt: "tess")
        monkeypatch.setattr(class_live, "getpass", lambda prompt: PASSWORD)
        names = run_notebook()
        assert isinstance(names["school"].teacher, AuthClient)
        assert ada.client.home() == {"message": "Welcome ada"}  # nothing was done to the class
    out = capsys.readouterr().out
    assert "ada: Needs help: stuck: 3 wrong checks; Lesson: 04, q2; State: " in out
    assert "In a played class, 61 seconds pass. In yours, the students act themselves." in out
    assert PASSWORD not in out


def test_the_played_class_shows_each_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SERVER_URL", raising=False)
    run_notebook()
    out = capsys.readouterr().out
    assert "cid: Needs help: stuck: 4 wrong checks; Lesson: 04" in out
    assert "access token expired" in out
    assert "bob: Needs help: session revoked after reuse" in out
