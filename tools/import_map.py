"""Draw the import contracts of pyproject.toml into a page: `python tools/import_map.py PAGE`."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def import_map(contract: str) -> str:
    """The layers of a contract as a Mermaid graph: each may import what is below it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["name"] == contract)
    lines = ["flowchart TD"]
    for number, layer in enumerate(layers):
        modules = [module.strip() for module in layer.split("|")]
        lines.append(f'    L{number}["{"<br/>".join(modules)}"]')
    lines += [f"    L{number} --> L{number + 1}" for number in range(len(layers) - 1)]
    return "```mermaid\n" + "\n".join(lines) + "\n```"


def with_maps(page: str) -> str:
    """The page with a map between each `begin CONTRACT` and its `end`."""
    return re.sub(
        r"(<!-- begin (.*?) -->\n).*?(<!-- end -->)",
        lambda found: f"{found[1]}{import_map(found[2])}\n{found[3]}",
        page,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_maps(path.read_text()))
