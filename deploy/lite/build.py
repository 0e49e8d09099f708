"""Builds the lab as a static site, `dist/lite`: JupyterLab, Python and the course in a browser tab.

    python deploy/lite/build.py

The site needs no server but one that hands out files, and asks no other host for anything. Its
parts, all from the package registries:

- JupyterLite and its Python kernel, from PyPI;
- Pyodide, the Python that runs in the browser, from npm. Its package has no wheels, so its lock
  file is rewritten to name ours;
- the lab's wheel, and the pure Python wheels of all that it imports, at the versions of
  constraints.txt;
- two packages that have no such wheel: markupsafe, whose fallback in Python is packed, and bcrypt,
  in whose place `deploy/lite/bcrypt_js` calls bcryptjs.

The site is always built in an empty folder: a build into an old one lets the kernel fall back to a
CDN, and says nothing. It holds the hash of what it was built from, and is left as it is while that
has not changed. What is downloaded is kept in the environment that builds it, until a pin changes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from contextlib import chdir
from email.parser import Parser
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from jwt_course import copies
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
INPUTS = (
    "client_widget", "constraints.txt", "demo_server", "deploy/jupyterlab", "deploy/lite",
    "docs/glossary.md", "notebooks", "pyproject.toml",
)  # fmt: skip
STAMP = "inputs.sha256"
HERE = ROOT / "deploy/lite"
SITE = ROOT / "dist/lite"
NODE_MODULES = HERE / "node_modules"

# That of the pinned Pyodide.
PYTHON = "3.14"

# JupyterLab's extensions that the site needs, of those in this environment.
EXTENSIONS = [
    "@jupyter-widgets/jupyterlab-manager", "@jupyterlite/pyodide-kernel-extension", "anywidget",
    "jupyterlab_pygments",
]  # fmt: skip

# What the kernel and the notebooks import. Their dependencies follow from their wheels.
ROOTS = ["jwt-refresh-lab", "ipython", "jedi", "micropip"]

# Parts of JupyterLab itself, which runs in JavaScript here, and a server's.
NOT_IN_A_TAB = {
    "jupyterlab", "jupyterlab-widgets", "widgetsnbextension", "psutil", "pexpect",
    "cryptography",  # for lesson 11, which needs the installed lab
}  # fmt: skip

# How the environment markers of dependencies are evaluated.
BROWSER = {
    **default_environment(),
    "sys_platform": "emscripten",
    "platform_system": "Emscripten",
    "platform_machine": "wasm32",
    "os_name": "posix",
    "extra": "",
}


def main() -> None:
    """Build the site, unless it is there and its inputs are unchanged."""
    now = inputs()
    stamp = SITE / STAMP
    if stamp.is_file() and stamp.read_text() == now:
        return
    with tempfile.TemporaryDirectory() as folder, chdir(folder):  # the build leaves a file there
        work = Path(folder)
        wheels = collect_wheels(work / "wheels")
        lite = work / "lite"
        add_pyodide(lite / "static/pyodide", wheels)
        copies.start(lite / "files")  # a learner's copy: the browser keeps what is changed in it
        (lite / "jupyter-lite.json").write_text(json.dumps(site_settings(), indent=2))
        shutil.copy(ROOT / "deploy/jupyterlab/settings.json", lite / "overrides.json")
        (lite / "jupyter_lite_config.json").write_text(json.dumps(build_settings()))
        shutil.rmtree(SITE, ignore_errors=True)
        run(
            "jupyter", "lite", "build", "--lite-dir", str(lite), "--contents", str(lite / "files"),
            "--output-dir", str(SITE), "--apps", "lab", "--no-sourcemaps",
            "--no-unused-shared-packages",
        )  # fmt: skip
    stamp.write_text(now)
    size = sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file())
    print(f"{SITE.relative_to(ROOT)}: {size / 1e6:.0f} MB")


def inputs() -> str:
    """A hash of all that the site is made of."""
    files = [
        file
        for name in INPUTS
        for file in sorted((ROOT / name).rglob("*") if (ROOT / name).is_dir() else [ROOT / name])
        if file.is_file() and not {"node_modules", "__pycache__"} & set(file.parts)
    ]
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(ROOT)} {file.stat().st_size} ".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def collect_wheels(folder: Path) -> dict[str, Path]:
    """The wheels of `ROOTS` and of all that they need, by canonical name."""
    folder.mkdir()
    run("pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    pack(folder, "markupsafe", _files_of("markupsafe"))
    pack(folder, "bcrypt", {
        "bcrypt/__init__.py": (HERE / "bcrypt_js/__init__.py").read_bytes(),
        "bcrypt/bcryptjs.js": (NODE_MODULES / "bcryptjs/umd/index.js").read_bytes(),
    })  # fmt: skip
    ours = [path.name for path in folder.glob("*.whl")]
    kept = _kept()
    if kept.is_dir():
        shutil.copytree(kept, folder, dirs_exist_ok=True)
    while missing := _missing(folder):
        run(
            "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--platform=any",
            "--implementation=py", "--abi=none", f"--python-version={PYTHON}",
            "--constraint", str(ROOT / "constraints.txt"), "--dest", str(folder), *missing,
        )  # fmt: skip
    shutil.rmtree(kept.parent, ignore_errors=True)
    shutil.copytree(folder, kept, ignore=shutil.ignore_patterns(*ours))
    return _by_name(folder)


def _kept() -> Path:
    """Where the downloaded wheels are kept while what they follow from has not changed."""
    pins = (ROOT / "constraints.txt", ROOT / "pyproject.toml", Path(__file__))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in pins))
    return Path(sys.prefix) / "wheels" / digest.hexdigest()


def _missing(folder: Path) -> list[str]:
    """The packages that the site needs and that have no wheel there yet."""
    wheels = _by_name(folder)
    wanted = {*ROOTS, *(name for path in wheels.values() for name in needs(path))}
    return sorted(wanted - wheels.keys())


def needs(wheel: Path) -> list[str]:
    """What a wheel depends on in a browser tab."""
    requirements = [Requirement(text) for text in metadata(wheel).get_all("Requires-Dist", [])]
    names = {
        canonicalize_name(each.name)
        for each in requirements
        if each.marker is None or each.marker.evaluate(BROWSER)
    }
    return sorted(names - NOT_IN_A_TAB)


def metadata(wheel: Path) -> Any:
    """The `METADATA` of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def pack(folder: Path, name: str, files: dict[str, bytes]) -> None:
    """Write a wheel of pure Python, at the version of that package in this environment."""
    version = distribution(name).version
    info = f"{name}-{version}.dist-info"
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    )
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(f"{path},sha256={_digest(data)},{len(data)}\n" for path, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)


def add_pyodide(folder: Path, wheels: dict[str, Path]) -> None:
    """Copy Pyodide, with a lock file that names our wheels and nothing else."""
    package = NODE_MODULES / "pyodide"
    folder.mkdir(parents=True)
    for name in ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"):
        shutil.copy(package / name, folder)
    lock = json.loads((package / "pyodide-lock.json").read_text())
    lock["packages"] = {}
    for name, wheel in wheels.items():
        shutil.copy(wheel, folder)
        lock["packages"][name] = {
            "name": name,
            "version": metadata(wheel)["Version"],
            "file_name": wheel.name,
            "install_dir": "site",
            "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
            "package_type": "package",
            "imports": _imports(wheel),
            "depends": needs(wheel),
            "unvendored_tests": False,
        }
    (folder / "pyodide-lock.json").write_text(json.dumps(lock))


def site_settings() -> dict[str, Any]:
    """The settings of the site: its own Python, and no other place for packages."""
    kernel = {"pyodideUrl": "./static/pyodide/pyodide.mjs", "disablePyPIFallback": True}
    return {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {
            "appName": "JWT refresh lab",
            "exposeAppInBrowser": True,  # to the tests, as `window.jupyterapp`
            "litePluginSettings": {"@jupyterlite/pyodide-kernel-extension:kernel": kernel},
        },
    }


def build_settings() -> dict[str, Any]:
    """The settings of the build: only the extensions that the site needs."""
    folder = Path(sys.prefix) / "share/jupyter/labextensions"
    extensions = [str(folder / name) for name in EXTENSIONS]
    return {
        "LiteBuildConfig": {
            "federated_extensions": extensions,
            "ignore_sys_prefix": ["federated_extensions"],
        }
    }


def run(module: str, *arguments: str) -> None:
    """Run `python -m module` of this environment."""
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


def _by_name(folder: Path) -> dict[str, Path]:
    return {
        canonicalize_name(path.name.split("-")[0]): path for path in sorted(folder.glob("*.whl"))
    }


def _files_of(name: str) -> dict[str, bytes]:
    """The Python files of an installed package."""
    files = distribution(name).files or []
    return {str(f): f.read_binary() for f in files if f.suffix == ".py" and ".." not in f.parts}


def _imports(wheel: Path) -> list[str]:
    """The modules at the top of a wheel: importing one of them loads it."""
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist() if name.endswith(".py")}
    return sorted(
        top.removesuffix(".py") for top in tops if not top.endswith((".data", ".dist-info"))
    )


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    main()
