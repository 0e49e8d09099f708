"""How Sphinx builds these pages: `make docs`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from sphinx.application import Sphinx

_project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]

project = "JWT refresh lab"
version = release = _project["version"]
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "myst_parser",
    "sphinxcontrib.mermaid",
]
html_theme = "furo"
html_title = project
html_show_copyright = False
myst_fence_as_directive = ["mermaid"]
# Links such as `glossary.md#bearer`, with the anchors that a code host gives to headings.
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
# `time.time` in a signature, and not what it is at run time.
autodoc_preserve_defaults = True
autodoc_class_signature = "separated"
napoleon_google_docstring = True
napoleon_use_ivar = True
# `make slides` builds these two.
exclude_patterns = ["_build", "teaching/slides.md", "teaching/handout.md"]


def setup(app: Sphinx) -> None:
    app.connect("source-read", _link_outside)


def _link_outside(app: Sphinx, page: str, source: list[str]) -> None:
    """Make links to files that are not pages of this site downloads."""
    source[0] = re.sub(
        r"\]\(((?:\.\./)+(?:benchmarks|deploy)/[\w/]+\.md|slides\.md|handout\.md)\)",
        r"](path:\1)",
        source[0],
    )
