"""Try a wheel in an empty environment: `python tools/try_wheel.py dist/NAME.whl`.

Installs it there, with the tested versions, and runs the walkthrough from a folder that holds
nothing else, so that nothing of this checkout can stand in for what the wheel lacks. Then it makes
a learner's copy with `python -m jwt_course start`, and runs a lesson in it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent


# Every file of the front end that this checkout has, from a server of the wheel.
FRONT_END = ROOT / "demo_server" / "web" / "front_end"
FILES = [p.name for p in FRONT_END.iterdir() if p.suffix in (".js", ".css")]
ASK_FOR_THE_FRONT_END = f"""
import requests
from demo_server import DemoServer

with DemoServer() as server:
    for name in ["", *{FILES!r}]:
        requests.get(f"{{server.url}}/app/{{name}}").raise_for_status()
"""


def main(wheel: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder / "env", with_pip=True)
        python = folder / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        shutil.copy(ROOT / "notebooks" / "01_walkthrough.ipynb", folder)
        constraints = ["--constraint", str(ROOT / "constraints.txt")]
        pip = [str(python), "-m", "pip", "install", "--quiet", *constraints]
        run([*pip, str(wheel.resolve()), "nbval", "pytest"], folder)
        for package in ("client_widget", "demo_server", "jwt_course"):
            run([str(python), "-c", f"import {package}"], folder)
        run([str(python), "-c", ASK_FOR_THE_FRONT_END], folder)
        test = ["-m", "pytest", "--nbval", "--nbval-current-env", "01_walkthrough.ipynb"]
        run([str(python), *test], folder)
        run([str(python), "-m", "jwt_course", "start", "my-course"], folder)
        test[-1] = "02_inside_a_token.ipynb"
        run([str(python), *test], folder / "my-course")


def run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
