"""The kit for a class without a network: `make kit` writes `dist/kit`.

    python tools/kit.py [FOLDER]

It has the wheels of the lab and of all that it needs, for each system and Python of `targets()`, at
the versions of constraints.txt; an install script for each system; a learner's copy of the lessons;
and the docs as HTML, which `make docs` has built.

`pip download --platform` chooses the wheels of another system, but it evaluates the conditions of
dependencies (PEP 508) for the system on which it runs. So the dependencies are followed here.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from email.parser import Parser
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from jwt_course.copies import start
from packaging.markers import Environment, default_environment
from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).resolve().parents[1]
LAB = "jwt-refresh-lab"

#: Where `make docs` writes, which `make kit` runs first.
DOCS = ROOT / "docs/_build/html"

PYTHONS = ("3.11", "3.12", "3.13")

# The oldest systems: glibc 2.28 (Debian 10, RHEL 8), macOS 13, Windows 10.
_SYSTEMS: dict[str, tuple[list[str], dict[str, str]]] = {
    "Linux": (
        [*(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)), "manylinux2014_x86_64",
         "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"],
        {"sys_platform": "linux", "os_name": "posix", "platform_machine": "x86_64"},
    ),
    "Windows": (
        ["win_amd64"],
        {"sys_platform": "win32", "os_name": "nt", "platform_machine": "AMD64"},
    ),
    "Darwin": (
        [*mac_platforms((13, 0), "arm64")],
        {"sys_platform": "darwin", "os_name": "posix", "platform_machine": "arm64"},
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A system and a Python: which wheels fit, and which dependencies it has."""

    system: str
    python: str

    @property
    def platforms(self) -> list[str]:
        return _SYSTEMS[self.system][0]

    @property
    def environment(self) -> Environment:
        """The values of the markers of PEP 508."""
        markers = default_environment() | _SYSTEMS[self.system][1]  # type: ignore[operator]
        markers |= {"platform_system": self.system, "implementation_name": "cpython"}
        markers |= {"python_version": self.python, "python_full_version": f"{self.python}.0"}
        found: Environment = markers | {"platform_python_implementation": "CPython"}
        return found

    @property
    def tags(self) -> frozenset[Tag]:
        major, minor = map(int, self.python.split("."))
        abi = [f"cp{major}{minor}"]
        return frozenset(
            [
                *cpython_tags((major, minor), abi, self.platforms),
                *compatible_tags((major, minor), abi[0], self.platforms),
            ]
        )


def targets() -> list[Target]:
    """What the whole kit is for."""
    return [Target(system, python) for system in _SYSTEMS for python in PYTHONS]


def build(folder: Path, wanted: Sequence[Target]) -> None:
    """Write a kit without docs into `folder`, which is emptied first.

    Raises:
        subprocess.CalledProcessError: a wheel cannot be had.
    """
    shutil.rmtree(folder, ignore_errors=True)
    wheels = folder / "wheels"
    wheels.mkdir(parents=True)
    pip("wheel", "--no-deps", "--wheel-dir", str(wheels), str(ROOT))
    for target in wanted:
        print(f"{target.system}, Python {target.python}", flush=True)
        collect(wheels, target)
    for script in sorted((ROOT / "deploy" / "kit").iterdir()):
        shutil.copy(script, folder)
    start(folder / "my-course")


def collect(wheels: Path, target: Target) -> None:
    """Download what the lab needs on `target`, until nothing is missing."""
    for _ in range(20):  # as deep as the dependencies are
        missing = sorted(needed(wheels, target))
        if not missing:
            return
        pip(
            "download",
            *("--no-deps", "--only-binary=:all:", "--implementation=cp"),
            f"--python-version={target.python}",
            *(f"--platform={platform}" for platform in target.platforms),
            *("--constraint", str(ROOT / "constraints.txt"), "--dest", str(wheels)),
            *missing,
        )
    raise RuntimeError(f"{target}: still missing: {missing}")


def needed(wheels: Path, target: Target) -> set[str]:
    """The packages that the lab needs on `target`, without those whose wheels are there.

    What a missing one depends on is read from its wheel for another target or from this
    environment, so that few rounds of downloads are enough.
    """
    any_wheel, there = {}, {}
    for wheel in wheels.glob("*.whl"):
        name, _, _, tags = parse_wheel_filename(wheel.name)
        any_wheel[name] = wheel
        if tags & target.tags:
            there[name] = wheel
    missing: set[str] = set()
    seen: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(LAB), "")]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        if name not in there:
            missing.add(name)
        for requirement in requirements(name, there.get(name) or any_wheel.get(name)):
            marker = requirement.marker
            if marker is None or marker.evaluate({**target.environment, "extra": extra}):
                dependency = canonicalize_name(requirement.name)
                waiting += [(dependency, each) for each in ("", *requirement.extras)]
    return missing


def requirements(name: str, wheel: Path | None) -> list[Requirement]:
    """What a package depends on, with the conditions: by its wheel, or as it is installed here."""
    if wheel is None:
        try:
            return [Requirement(text) for text in requires(name) or ()]
        except PackageNotFoundError:
            return []
    with zipfile.ZipFile(wheel) as archive:
        path = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        facts = Parser().parsestr(archive.read(path).decode())
    return [Requirement(text) for text in facts.get_all("Requires-Dist", [])]


def pip(command: str, *arguments: str) -> None:
    run = [sys.executable, "-m", "pip", "--disable-pip-version-check", command, "--quiet"]
    subprocess.run([*run, *arguments], check=True)


def main(folder: Path) -> None:
    """Write the whole kit, with the docs that `make docs` has built.

    Raises:
        FileNotFoundError: there are no docs.
        subprocess.CalledProcessError: a wheel cannot be had.
    """
    build(folder, targets())
    shutil.copytree(DOCS, folder / "docs")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {LAB} {version(LAB)}, {size / 1e6:.0f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / "kit")
