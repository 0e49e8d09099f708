"""The machine and the versions: what the figures were measured with. No name, no path."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

PACKAGES = (
    "flask", "waitress", "pyjwt", "bcrypt", "mongomock", "requests", "fastapi", "uvicorn",
    "requests-oauthlib", "authlib", "granian",
    "ipywidgets", "anywidget", "jupyterlab",
)  # fmt: skip


def machine() -> str:
    """Processor, cores, memory and system, in one sentence."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB of memory, {_system()}, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


def versions() -> str:
    """What is installed of what was measured."""
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    if shutil.which("node"):
        asked = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
        found.append(f"node {asked.stdout.strip().removeprefix('v')}")
    return ", ".join(found)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return f"{platform.system()} {platform.release()}"
