"""README, docs, environment.yml and the packages say the same."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from inspect import isfunction
from pathlib import Path
from typing import Any

import pytest
import yaml
from ipywidgets import Widget
from jwt_course import Seat

import client_widget
import demo_server
from client_widget import AuthClient, EventLog
from client_widget.log.event_text import EVENT_NAMES
from client_widget.log.har import to_har
from demo_server import DemoClock, DemoServer, ServerConfig, create_app, open_database
from demo_server.errors import STATUS
from tools import doc_pictures

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
REFERENCE = {path.stem: path.read_text() for path in (ROOT / "docs/reference").glob("*.md")}
DECISIONS = (ROOT / "docs" / "decisions.md").read_text()
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES = ("demo_server", "client_widget", "notebooks/jwt_course")
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("docs/[!_]*/*.md"),
        *ROOT.glob("benchmarks/*.md"),
        *ROOT.glob("deploy/*/README.md"),
        *ROOT.glob("notebooks/*.ipynb"),
        *ROOT.glob("notebooks/solutions/*.ipynb"),
    ]
)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# What a reader sees of the pages


def prose(path: Path) -> str:
    """The Markdown of a page or of a notebook, without its code."""
    text = path.read_text()
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]+`", lambda code: code[0].replace("](", "] ("), text)


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as a code host and MyST make them."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", heading.strip().lower()) for heading in headings)
    return {word.replace(" ", "-") for word in words}


def broken_links(path: Path) -> Iterator[str]:
    """The relative links of a page that lead nowhere."""
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        if not target.exists() or (
            anchor and target.suffix == ".md" and anchor not in anchors(target)
        ):
            yield link


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_relative_link_and_anchor_leads_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A title: here\n[a](#a-title-here) [b](#other) [c](no.md) [d](https://x.y)")
    assert list(broken_links(page)) == ["#other", "no.md"]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_module_that_a_page_names_by_its_path_is_there(page: Path) -> None:
    modules = re.findall(r"`((?:[a-z_0-9]+/)+[a-z_0-9]+\.py)`", prose(page))
    folders = (ROOT, ROOT / "notebooks")
    assert [name for name in modules if not any((at / name).exists() for at in folders)] == []


def examples() -> Iterator[Any]:
    """The Python examples of README and of the docs."""
    for page in PAGES:
        if page.suffix == ".md":
            blocks = re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.M | re.DOTALL)
            for number, code in enumerate(blocks, 1):
                yield pytest.param(code, id=f"{named(page)}-{number}")


@pytest.mark.parametrize("code", list(examples()))
def test_every_example_runs(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    clock = DemoClock()
    log = EventLog(clock=clock)
    shown: list[Any] = []
    config = ServerConfig(bcrypt_cost=4, class_log=True)
    with DemoServer(config, clock=clock, name="docs") as server:
        client = AuthClient(server.url, log=log, clock=clock)
        client.register("ada", "correct horse")
        # The files that the examples read.
        for trace in ("event-log.jsonl", "my-trace.jsonl"):
            (tmp_path / trace).write_text(log.to_jsonl())
        (tmp_path / "network.har").write_text(to_har(log, server.url))
        names: dict[str, Any] = {"clock": clock, "log": log, "server": server, "client": client}
        names |= {"display": lambda *values, **_: shown.extend(values)}
        code = re.sub(r"http://[\w.]+:8000", server.url, code)
        for statement in ast.parse(code).body:
            if isinstance(statement, ast.Expr):
                shown.append(eval(ast.unparse(statement), names))
            else:
                exec(ast.unparse(statement), names)
        for value in (*shown, *names.values()):
            if isinstance(value, DemoServer):
                value.stop()
            elif isinstance(value, Seat):
                value.leave()
            elif isinstance(value, Widget):
                value.close()


def test_readmes_wiring_is_the_notebooks() -> None:
    wiring = README.split("## The wiring")[1].split("```python\n")[1].split("```")[0]
    notebook = (ROOT / "notebooks" / "01_walkthrough.ipynb").read_text()
    assert len(wiring.splitlines()) <= 10
    for line in wiring.splitlines():
        assert line.replace('"', '\\"') in notebook


# The reference


def sources() -> list[Path]:
    return [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]


def emitted() -> set[str]:
    """Every event name in the code. A lesson may record other events."""
    calls = {"record", "_record", "emit", "_emit", "emit_here"}
    names = set()
    for path in sources():
        if "lesson_" in path.parent.name:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            function = node.func
            called = function.attr if isinstance(function, ast.Attribute) else ""
            called = function.id if isinstance(function, ast.Name) else called
            first = node.args[0]
            if called in calls and isinstance(first, ast.Constant):
                names.add(first.value)
    # The code chooses between two names at run time.
    return names | {"request.sent", "request.retried", "token.expired", "token.refused"}


def test_the_reference_lists_every_event_and_no_other() -> None:
    listed = re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", REFERENCE["events"], re.MULTILINE)
    assert set(listed) == emitted() == set(EVENT_NAMES)
    assert len(listed) == len(set(listed))


def test_the_reference_names_every_code_of_a_refusal() -> None:
    assert [code for code in STATUS if f"`{code}`" not in REFERENCE["routes"]] == []


def test_the_reference_names_every_route() -> None:
    app = create_app(
        ServerConfig(policy="rfc", class_log=True, class_clock=True, cookie_session="both"),
        database=open_database(),
        clock=lambda: 0.0,
        emit=lambda name, **fields: None,
    )
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) & {"GET", "POST", "PUT", "DELETE"}:
            assert f"`{method} {rule.rule}`" in REFERENCE["routes"]


def test_the_reference_names_every_setting_and_its_default() -> None:
    config = ServerConfig()
    for name in vars(config):
        if name == "bcrypt_cost":  # in code only
            continue
        default = (
            "random" if "secret" in name or "password" in name else str(getattr(config, name) or "")
        )
        default = "0" if getattr(config, name) == 0 else default
        cell = f" {default} " if default else " "
        setting = "AUTH_POLICY" if name == "policy" else name.upper()
        assert f"| `{setting}` |{cell}|" in REFERENCE["settings"]


def test_the_reference_names_every_error() -> None:
    for package in (client_widget, demo_server):
        for name in package.__all__:
            value = getattr(package, name)
            if isinstance(value, type) and issubclass(value, Exception):
                assert f"| `{name}`" in REFERENCE["errors"]


@pytest.mark.parametrize(
    ("package", "page"),
    [(client_widget, "client"), (demo_server, "server")],
    ids=["client", "server"],
)
def test_the_reference_describes_every_public_name(package: Any, page: str) -> None:
    text = REFERENCE[page] + REFERENCE["errors"]
    described = set(re.findall(r"^\.\. auto\w+:: [\w.]*\.(\w+)$", text, re.MULTILINE))
    in_prose = set(re.findall(r"`[\w.]+\.(\w+)`", text))
    for name in package.__all__:
        value = getattr(package, name)
        assert name in (described if callable(value) else described | in_prose), name


def test_the_reference_names_every_command() -> None:
    targets = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in " ".join(targets).split():
        # Parts of other targets: the hub's proxy, and the check for a folder that has moved.
        assert target in ("hub-proxy", "stale") or f"| `make {target}` |" in REFERENCE["commands"]


@pytest.mark.parametrize("package", [client_widget, demo_server], ids=lambda p: p.__name__)
def test_every_public_name_has_a_docstring(package: Any) -> None:
    for name in package.__all__:
        value = getattr(package, name)
        if not (isinstance(value, type) or isfunction(value)):
            continue  # an alias of a type: a comment describes it
        assert value.__doc__, name
        if isinstance(value, type):
            for attribute, member in vars(value).items():
                if callable(member) and not attribute.startswith("_"):
                    assert member.__doc__, f"{name}.{attribute}"


# Dependencies


def requirement_names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~ \[]", requirement)[0].lower() for requirement in requirements}


def test_every_dependency_has_its_reason() -> None:
    first = " ".join(re.findall(r"^\| ([^|]*) \|", DECISIONS, re.MULTILINE)).lower()
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
    # The lowest Python promised: repo2docker reads one version, and no range.
    python = PROJECT["requires-python"].replace(">=", "python=")
    assert set(plain) == {python, "pip", *PROJECT["dependencies"], *tests}


def test_the_least_versions_with_a_reason_are_those_of_pyproject() -> None:
    reasons = re.findall(r"^\| (\w+)[^|]*\|.*?[Aa]t least ([\d.]*\d)", DECISIONS, re.MULTILINE)
    assert [name for name, _ in reasons] == ["pyjwt", "filelock", "granian"]
    extras = [r for extra in PROJECT["optional-dependencies"].values() for r in extra]
    for name, least in reasons:
        wanted = {
            re.sub(r"\[.*\]", "", requirement)
            for requirement in PROJECT["dependencies"] + extras
            if re.match(rf"{name}\b", requirement)
        }
        assert wanted == {f"{name}>={least}"}


def test_every_dependency_is_pinned_in_the_constraints() -> None:
    pinned = requirement_names((ROOT / "constraints.txt").read_text().splitlines()[1:])
    extras = [r for extra in PROJECT["optional-dependencies"].values() for r in extra]
    wanted = requirement_names(PROJECT["dependencies"] + extras)
    assert {name.replace("_", "-") for name in wanted} <= {n.replace("_", "-") for n in pinned}


# The project


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert str(citation["version"]) == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert citation["authors"] == PROJECT["authors"]


@pytest.mark.parametrize("package", ["client_widget", "demo_server", "notebooks/jwt_course"])
def test_a_folder_has_at_most_a_dozen_modules(package: str) -> None:
    for folder in {path.parent for path in (ROOT / package).rglob("*.py")}:
        modules = [path.name for path in folder.glob("*.py") if path.stem != "__init__"]
        assert len(modules) <= 12, (named(folder), sorted(modules))


#: The packages of the server and the client; a lesson's docstring names its modules.
DESCRIBED = [*ROOT.glob("demo_server/**/__init__.py"), *ROOT.glob("client_widget/**/__init__.py")]


@pytest.mark.parametrize("package", sorted(DESCRIBED), ids=named)
def test_each_package_says_where_to_begin(package: Path) -> None:
    docstring = ast.get_docstring(ast.parse(package.read_text())) or ""
    begin = re.search(r"(?:Begin with|Start reading at) `([\w/]+\.\w+)`", docstring)
    assert begin
    assert (package.parent / begin[1]).is_file()


def test_the_pictures_of_the_architecture_are_those_of_the_code() -> None:
    saved = {path.name: path.read_text() for path in doc_pictures.FOLDER.glob("*.svg")}
    drawn = {name: picture + "\n" for name, picture in doc_pictures.pictures()}
    assert saved == drawn, "run: python tools/doc_pictures.py"
