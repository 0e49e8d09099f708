"""Is an answer the learner's own work?

Behaviour cannot tell: a borrowed answer does the same as a right one. So this reads which
functions the learner's code names. It finds what is borrowed in haste. It is no protection: the
course runs on the learner's machine, and its code can be read.
"""

from __future__ import annotations

import ast
import dis
import inspect
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import CodeType, FunctionType, ModuleType
from typing import Any

from .learners_code import is_learners

#: A lesson's package. What it exports is for the learner; its modules are not.
_LESSON = re.compile(r"jwt_course\.lesson_\d\d")


def borrowed(answer: Any, forbidden: Sequence[str] = ()) -> str:
    """What does the work in the learner's place, such as "parameters_of of jwt_course…"; or "".

    Args:
        answer: a function, a class, or a `partial` of one.
        forbidden (Sequence[str]): modules that are not for this exercise, besides the server and
            the inside of the course.
    """
    while isinstance(answer, partial):
        answer = answer.func
    module = getattr(answer, "__module__", None) or ""
    if module.partition(".")[0] in ("jwt_course", "client_widget", "demo_server"):
        its = getattr(sys.modules.get(module), answer.__name__, None)
        if its is answer:
            return _named(answer)
    internals = ("demo_server", *forbidden)
    for value in _reached(answer):
        if isinstance(value, str):
            if value.startswith("jwt_course.") and not _LESSON.fullmatch(value):
                return value
            if _is_in(value, internals):
                return value
        elif _is_internal(value) or _is_in(_module_of(value), internals):
            return _named(value)
    return ""


def _is_in(module: str, packages: Iterable[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in packages)


def _named(value: Any) -> str:
    if isinstance(value, ModuleType):
        return value.__name__
    name, module = getattr(value, "__qualname__", ""), _module_of(value)
    return f"{name} of {module}" if name else module


def _module_of(value: Any) -> str:
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, dict | list):
        return next((name for name, its in _tables() if its is value), "")
    if isinstance(value, type | FunctionType):
        return value.__module__ or ""
    return ""


def _is_internal(value: Any) -> bool:
    """Is it a part of the course that no lesson exports?"""
    module = _module_of(value)
    if not module.startswith("jwt_course.") or _LESSON.fullmatch(module):
        return False
    return not any(its is value for its in _exported())


def _exported() -> Iterator[Any]:
    for name, module in list(sys.modules.items()):
        if _LESSON.fullmatch(name):
            yield from (v for v in vars(module).values() if not isinstance(v, ModuleType))


def _tables() -> Iterator[tuple[str, Any]]:
    """The dicts and lists of the course's modules: what the judges compare with."""
    for name, module in list(sys.modules.items()):
        if name.startswith("jwt_course."):
            for its in vars(module).values():
                if isinstance(its, dict | list):
                    yield name, its


def _reached(answer: Any) -> Iterator[Any]:
    """All that the learner's code names: values, and the names of modules that it imports."""
    seen: set[int] = set()
    waiting = [answer]
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if value is not answer:
            yield value
        if isinstance(value, type) and value.__module__ not in sys.builtin_module_names:
            waiting += [v for kind in value.__mro__ for v in vars(kind).values() if _is_code(v)]
        function = getattr(value, "__func__", value)
        if isinstance(function, FunctionType) and is_learners(function.__code__):
            waiting += inspect.getclosurevars(function).nonlocals.values()
            for name in _names(function.__code__):
                if name in function.__globals__:
                    waiting.append(function.__globals__[name])
            yield from _imports(function.__code__)


def _is_code(value: Any) -> bool:
    function = getattr(value, "__func__", value)
    return isinstance(function, FunctionType) and is_learners(function.__code__)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


def _imports(code: CodeType) -> Iterator[str]:
    """The modules that it imports while it runs, also as `from package import module`."""
    package = ""
    for step in dis.get_instructions(code):
        if step.opname == "IMPORT_NAME":
            package = str(step.argval)
            yield package
        elif step.opname == "IMPORT_FROM" and f"{package}.{step.argval}" in sys.modules:
            yield f"{package}.{step.argval}"
        elif isinstance(step.argval, CodeType):
            yield from _imports(step.argval)


# The reference under another name

_DECIDES = (
    ast.If, ast.IfExp, ast.While, ast.For, ast.Try, ast.With, ast.Match, ast.BoolOp, ast.Compare,
    ast.Raise,
)  # fmt: skip


def own_methods(kind: type, names: Iterable[str]) -> list[str]:
    """The names under which the learner's class does something itself.

    A method that only calls the one of the same name, such as `super().auth_flow(request)`, does
    nothing itself.
    """
    return [name for name in names if _does_something(_method(kind, name), name)]


def defined_methods(kind: type, names: Iterable[str]) -> list[str]:
    """The names of methods that the learner wrote, whatever they do."""
    return [name for name in names if _method(kind, name) is not None]


def _method(kind: type, name: str) -> FunctionType | None:
    found: Mapping[str, Any] = next((vars(c) for c in kind.__mro__ if name in vars(c)), {})
    method = found.get(name)
    return method if isinstance(method, FunctionType) and is_learners(method.__code__) else None


def _does_something(method: FunctionType | None, name: str) -> bool:
    if method is None:
        return False
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(method)))
    except (OSError, SyntaxError, TypeError):
        return True  # its text cannot be had
    nodes = list(ast.walk(tree))
    hands_on = any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == name
        for node in nodes
    )
    return not hands_on or any(isinstance(node, _DECIDES) for node in nodes)
