"""README, environment.yml and the packages say the same."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import client_widget
import demo_server
from client_widget.log.event_text import _SENTENCES
from demo_server import STATUS, DemoServer, ServerConfig, create_app, open_database
from demo_server.server import ignore
from tools.import_map import with_maps

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES = ("demo_server", "client_widget", "notebooks/jwt_course")


def sources() -> list[Path]:
    return [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]


def emitted() -> set[str]:
    """Every event name that stands in the code."""
    calls = {"record", "_record", "emit", "_emit", "emit_here"}
    names = set()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            function = node.func
            called = function.attr if isinstance(function, ast.Attribute) else ""
            called = function.id if isinstance(function, ast.Name) else called
            first = node.args[0]
            if called in calls and isinstance(first, ast.Constant):
                names.add(first.value)
    # Two names are chosen between at run time.
    return names | {"request.sent", "request.retried", "token.expired", "token.refused"}


def test_readme_lists_every_event_and_no_other() -> None:
    table = README.split("### Events")[1].split("## Dependencies")[0]
    listed = set(re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", table, re.MULTILINE))
    assert listed == emitted() == set(_SENTENCES)


def test_readme_names_every_code_of_a_refusal() -> None:
    table = README.split("### Routes")[1].split("### Settings")[0]
    assert [code for code in STATUS if f"`{code}`" not in table] == []


def test_readme_names_every_route() -> None:
    app = create_app(
        ServerConfig(policy="rfc", class_log=True),
        database=open_database(),
        clock=lambda: 0.0,
        emit=ignore,
    )
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) & {"GET", "POST", "PUT", "DELETE"}:
            assert f"`{method} {rule.rule}`" in README


def test_readme_names_every_setting_and_its_default() -> None:
    config = ServerConfig()
    table = README.split("### Settings")[1].split("## The client")[0]
    for name in vars(config):
        if name == "bcrypt_cost":  # in code only
            continue
        default = "random" if "secret" in name else str(getattr(config, name) or "")
        default = "0" if getattr(config, name) == 0 else default
        cell = f" {default} " if default else " "
        setting = "AUTH_POLICY" if name == "policy" else name.upper()
        assert f"| `{setting}` |{cell}|" in table


def test_readme_names_every_error() -> None:
    table = README.split("### Errors")[1].split("### Events")[0]
    for package in (client_widget, demo_server):
        for name in package.__all__:
            value = getattr(package, name)
            if isinstance(value, type) and issubclass(value, Exception):
                assert f"`{name}`" in table


def test_readme_names_every_module() -> None:
    table = README.split("## The map of the code")[1]
    for path in sources():
        if path.name != "__init__.py":
            assert path.name in table


def test_readmes_wiring_is_the_notebooks_and_works() -> None:
    wiring = README.split("## The whole wiring\n\n```python\n")[1].split("```")[0]
    notebook = (ROOT / "notebooks" / "01_walkthrough.ipynb").read_text()
    for line in wiring.splitlines():
        assert line.replace('"', '\\"') in notebook
    names: dict[str, Any] = {}
    exec(wiring.replace("LoginPanel(client", "panel = LoginPanel(client"), names)
    server: DemoServer = names["server"]
    assert server.running
    names["panel"].close()
    server.stop()


def requirement_names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~ \[]", requirement)[0].lower() for requirement in requirements}


def test_readme_gives_a_reason_for_every_dependency() -> None:
    table = README.split("## Dependencies")[1].split("## The map")[0]
    first = " ".join(re.findall(r"^\| ([^|]*) \|", table, re.MULTILINE)).lower()
    extras = [r for extra in PROJECT["optional-dependencies"].values() for r in extra]
    for name in requirement_names(PROJECT["dependencies"] + extras):
        assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", first), name


def test_environment_yml_asks_for_what_pyproject_asks_for() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    plain = [item for item in environment["dependencies"] if isinstance(item, str)]
    [nested] = [item for item in environment["dependencies"] if not isinstance(item, str)]
    assert nested == {"pip": ["-e ."]}
    # To run the notebooks as tests, and to reach the demo server through Binder.
    core = {"nbval", "pytest", "jupyter-server-proxy"}
    tests = [r for r in PROJECT["optional-dependencies"]["test"] if r.split(">")[0] in core]
    # Of the versions that are good, the first: repo2docker reads one, and no range.
    python = PROJECT["requires-python"].replace(">=", "python=")
    assert set(plain) == {python, "pip", *PROJECT["dependencies"], *tests}


def test_every_dependency_is_pinned_in_the_constraints() -> None:
    pinned = requirement_names((ROOT / "constraints.txt").read_text().splitlines()[1:])
    extras = [r for extra in PROJECT["optional-dependencies"].values() for r in extra]
    wanted = requirement_names(PROJECT["dependencies"] + extras)
    assert {name.replace("_", "-") for name in wanted} <= {n.replace("_", "-") for n in pinned}


@pytest.mark.parametrize("package", [client_widget, demo_server], ids=lambda p: p.__name__)
def test_every_public_name_has_a_docstring(package: Any) -> None:
    for name in package.__all__:
        value = getattr(package, name)
        if not callable(value):
            continue
        assert value.__doc__, name
        if isinstance(value, type):
            for attribute, member in vars(value).items():
                if callable(member) and not attribute.startswith("_"):
                    assert member.__doc__, f"{name}.{attribute}"


def test_no_module_is_long() -> None:
    for path in sources():
        assert len(path.read_text().splitlines()) <= 300, path.name


def test_the_import_maps_are_those_of_the_contracts() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    assert with_maps(page) == page, "run: python tools/import_map.py docs/architecture.md"
