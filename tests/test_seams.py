"""The tests use what a user can use: names without an underscore.

A test that reaches behind the public surface breaks when only the inside changes. A class may
use its own private names, and those that it inherits: `self`, `cls` and `super()` are left out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

#: Private names that tests use all the same: file, name, and why.
EXCEPTIONS = {
    ("tests/test_notebooks.py", "_check_times"): (
        "A fault to be found, and no public name takes away this check alone."
    ),
    ("tests/browser/threads_program.py", "_current_frames"): (
        "Where a thread waits: Python itself has no other name for it."
    ),
    ("tests/client_widget/widgets/test_views.py", "_instances"): (
        "ipywidgets' list of living widgets, which has no other name since its public one went."
    ),
}

# One underscore, then a name: neither `_` nor `__init__`.
_PRIVATE = re.compile(r"_[A-Za-z]\w*")
# The same in a text that is code, such as the path of what a test replaces.
_IN_TEXT = re.compile(r"\b(?!self\b)\w+\.(_[A-Za-z]\w*)")

_BY_NAME = {"getattr", "setattr", "delattr", "hasattr"}


def _of_its_own(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        value = value.func
        return isinstance(value, ast.Name) and value.id == "super"
    return isinstance(value, ast.Name) and value.id in ("self", "cls")


def _names(node: ast.AST) -> Iterator[str]:
    """What a node takes from elsewhere, by name."""
    match node:
        case ast.Attribute(value=value, attr=name) if not _of_its_own(value):
            yield name
        case ast.Import(names=names):
            yield from (part for each in names for part in each.name.split("."))
        case ast.ImportFrom(module=module, names=names):
            yield from (module or "").split(".")
            yield from (each.name for each in names)
        case ast.Call(func=ast.Name(id=function) | ast.Attribute(attr=function), args=args):
            if function in _BY_NAME:
                yield from (str(arg.value) for arg in args if isinstance(arg, ast.Constant))
        case ast.Constant(value=str(text)):
            yield from _IN_TEXT.findall(text)


def private_names(source: str) -> set[str]:
    """The private names of others that a module uses."""
    found = (name for node in ast.walk(ast.parse(source)) for name in _names(node))
    return {name for name in found if _PRIVATE.fullmatch(name)}


def test_the_tests_use_public_names_only() -> None:
    used = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in (ROOT / "tests").rglob("*.py")
        if path != Path(__file__)
        for name in private_names(path.read_text())
    }
    assert used == set(EXCEPTIONS)


@pytest.mark.parametrize(
    "source",
    [
        "server._x",
        "server.inner._x.name = 1",
        "from demo_server.auth.tokens import _x",
        "from demo_server._x import name",
        "import demo_server._x",
        "monkeypatch.setattr(view, '_x', 1)",
        "monkeypatch.setattr('demo_server.auth.tokens._x', 1)",
        "getattr(view, '_x')",
        "FAULT = 'demo_server.auth.tokens.TokenService._x = None'",
    ],
)
def test_a_private_name_is_found(source: str) -> None:
    assert private_names(source) == {"_x"}


@pytest.mark.parametrize(
    "source",
    [
        "self._x",
        "super()._x()",
        "view.__class__",
        "from __future__ import annotations",
        "import benchmarks.__main__",
        "{'_id': 1}['_id']",
    ],
)
def test_what_is_its_own_or_public_is_not_found(source: str) -> None:
    assert private_names(source) == set()
