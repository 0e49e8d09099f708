"""The import contracts of `pyproject.toml` turn red when they are broken.

Each contract is broken once in a copy of the packages, and must name the import that broke it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]
NAMES = [contract["name"] for contract in CONTRACTS]

#: For each contract: a module, the line added to it, and what the report says of it.
BREAKS = {
    "The course knows both ends, which never import each other": (
        "demo_server.auth.tokens", "import client_widget.errors", "demo_server.auth.tokens",
    ),
    "No import cycles": (
        "jwt_course.lesson_06.theft", "from . import judges", "jwt_course.lesson_06",
    ),
    "The client's layers": (
        "client_widget.log.event", "from ..client import stepper", "client_widget.log.event",
    ),
    "The layers of client_widget.protocol": (
        "client_widget.protocol.tokens", "from . import store", "client_widget.protocol.tokens",
    ),
    "The layers of client_widget.log": (
        "client_widget.log.event", "from . import event_text", "client_widget.log.event",
    ),
    "The layers of client_widget.log.pictures": (
        "client_widget.log.pictures.shapes", "from . import sequence",
        "client_widget.log.pictures.shapes",
    ),
    "Only the pictures are made of SVG elements": (
        "client_widget.tour.story", "import svg", "client_widget.tour.story -> svg",
    ),
    "The layers of client_widget.client": (
        "client_widget.client.transport", "from . import auth_client",
        "client_widget.client.transport",
    ),
    "The layers of client_widget.tour": (
        "client_widget.tour.learner", "from . import story", "client_widget.tour.learner",
    ),
    "The layers of client_widget.widgets": (
        "client_widget.widgets.tabs", "from . import panel", "client_widget.widgets.tabs",
    ),
    "The server's layers": (
        "demo_server.policy", "from . import app", "demo_server.policy",
    ),
    "The layers of demo_server.web": (
        "demo_server.web.parsing", "from . import routes", "demo_server.web.parsing",
    ),
    "The layers of demo_server.auth": (
        "demo_server.auth.tokens", "from . import auth_service", "demo_server.auth.tokens",
    ),
    "The layers of demo_server.classroom": (
        "demo_server.classroom.teachers", "from . import class_log",
        "demo_server.classroom.teachers",
    ),
    "The layers of demo_server.storage": (
        "demo_server.storage.database", "from . import users", "demo_server.storage.database",
    ),
    "The layers of demo_server.serving": (
        "demo_server.serving.wsgi", "from . import local_server", "demo_server.serving.wsgi",
    ),
    "The course's layers: no lesson imports another": (
        "jwt_course.lesson_02.judges", "from ..lesson_08 import attacks",
        "jwt_course.lesson_02.judges",
    ),
    "Only the widgets and the course use widget libraries": (
        "client_widget.tour.story", "import ipywidgets", "client_widget.tour.story -> ipywidgets",
    ),
    "Only the client and the course send HTTP": (
        "client_widget.client.stepper", "import requests",
        "client_widget.client.stepper -> requests",
    ),
    "No other HTTP client": (
        "client_widget.log.har", "import urllib3", "client_widget.log.har -> urllib3",
    ),
    "Only the server's HTTP side and the course's own servers use Flask": (
        "demo_server.auth.auth_service", "import flask", "demo_server.auth.auth_service -> flask",
    ),
}  # fmt: skip

#: New modules that no layer names, and what they import.
NEW = {
    "client_widget.new": "import ipywidgets",
    "client_widget.protocol.new": "import requests",
    "client_widget.log.new": "import ipywidgets",
    "client_widget.log.pictures.new": "import requests",
    "client_widget.client.new": "import flask",
    "client_widget.tour.new": "import anywidget",
    "client_widget.widgets.new": "import requests",
    "demo_server.new": "import ipywidgets",
    "demo_server.web.new": "import ipywidgets",
    "demo_server.auth.new": "import flask",
    "demo_server.classroom.new": "import flask",
    "demo_server.storage.new": "import requests",
    "demo_server.serving.new": "import requests",
    "jwt_course.new": "import json",
}


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A copy of the packages and of their contracts."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    ignore = shutil.ignore_patterns("__pycache__", "*.png")
    for package in ("demo_server", "client_widget"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignore)
    shutil.copytree(ROOT / "notebooks" / "jwt_course", tmp_path / "jwt_course", ignore=ignore)
    return tmp_path


def add(packages: Path, module: str, line: str) -> None:
    path = packages / f"{module.replace('.', '/')}.py"
    with path.open("a") as file:
        file.write(f"\n{line}\n")


def report(packages: Path) -> dict[str, str]:
    """What the linter says of each contract that is broken."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=packages,
        env={**os.environ, "PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
    )
    assert "Contracts: " in done.stdout, done.stdout + done.stderr
    details = done.stdout.partition("Broken contracts")[2]
    headings = "|".join(re.escape(name) for name in NAMES)
    parts = re.split(rf"^({headings})\n-+\n", details, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_code_keeps_every_contract(packages: Path) -> None:
    assert report(packages) == {}


def test_each_contract_can_be_broken(packages: Path) -> None:
    assert set(BREAKS) == set(NAMES)
    for module, line, _ in BREAKS.values():
        add(packages, module, line)
    broken = report(packages)
    assert set(broken) == set(NAMES)
    for name, (_, _, told) in BREAKS.items():
        assert told in broken[name], f"{name}:\n{broken[name]}"


def test_a_new_module_is_covered_from_its_first_line(packages: Path) -> None:
    for module, line in NEW.items():
        add(packages, module, line)
    everything = "".join(report(packages).values())
    for module, line in NEW.items():
        package, _, name = module.rpartition(".")
        library = line.split()[1]
        told = f"{module} -> {library}" if library != "json" else f"{module}"
        assert f"- {package}.{name}" in everything, module
        assert told in everything, module
