"""The lab's environment: the time to install it, and its size."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from ..table import Part, Row

ROOT = Path(__file__).parents[2]


def measure(quick: bool) -> Part:
    part = Part(
        "Environment",
        "A new environment, and `pip install` of the lab without extras, as `make lab` does it. "
        "pip's cache is full after the first run, so a second one measures the machine and not "
        "the network.",
    )
    with TemporaryDirectory() as folder:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [str(Path(folder, "bin", "python")), "-m", "pip", "--disable-pip-version-check"]
        given = ["--constraint", str(ROOT / "constraints.txt"), "--editable", str(ROOT)]
        subprocess.run([*pip, "install", "--quiet", "--no-compile", *given], check=True)
        seconds = time.perf_counter() - start
        files = (path.lstat() for path in Path(folder).rglob("*"))
        size = sum(file.st_blocks * 512 for file in files) / 1e6
    part.rows += [
        Row("install of the lab, s", seconds, at_most=20),
        Row("the lab's environment, MB", size, at_most=270),
    ]
    return part
