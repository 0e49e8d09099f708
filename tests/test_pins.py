"""The pins in constraints.txt install on the lowest Python that the project promises."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parent.parent
PINS = [line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines()[1:]]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_no_pin_needs_a_newer_python_than_the_project() -> None:
    lowest = PROJECT["requires-python"].removeprefix(">=") + ".0"
    wants = {}
    for name, version in PINS:
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue  # it belongs to an extra that is not installed, or to another system
        if installed.version == version:
            wants[f"{name}=={version}"] = installed.metadata.get("Requires-Python", "")
    assert len(wants) > len(PINS) / 2, "too few pins are installed to check them"
    assert {pin: want for pin, want in wants.items() if lowest not in SpecifierSet(want)} == {}


def test_no_pin_makes_every_start_slow() -> None:
    """jsonschema 4.25 and later import rfc3987-syntax, which compiles 38 grammars at each start."""
    names = {name for name, _ in PINS}
    assert "jsonschema" in names
    assert "rfc3987-syntax" not in names


def test_the_workflows_use_actions_by_commit() -> None:
    """A tag can be moved to other code. PyPI's own action names its release branch."""
    used = [
        line.split("uses: ")[1]
        for path in (ROOT / ".github" / "workflows").glob("*.yml")
        for line in path.read_text().splitlines()
        if "uses: " in line
    ]
    assert len(used) > 5
    loose = {each for each in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", each)}
    assert loose == {"pypa/gh-action-pypi-publish@release/v1"}
