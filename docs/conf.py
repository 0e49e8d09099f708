"""How Sphinx builds these pages: `make docs`.

Pages are all over the project, so Sphinx is given its folder, and a link that works in the
repository works on the site. Two variables say where things are; a build on GitHub has the second:

    SITE_URL=https://example.org/lab/   GITHUB_REPOSITORY=owner/name   make docs
"""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

_root = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(_root / "docs"))
_project = tomllib.loads((_root / "pyproject.toml").read_text())["project"]

project = "JWT refresh lab"
version = release = _project["version"]
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "myst_nb",
    "site_pages",
]
root_doc = "docs/index"
include_patterns = [
    "CHANGELOG.md",
    "benchmarks/*.md",
    "deploy/*/README.md",
    "docs/**",
    "notebooks/*.ipynb",
    "notebooks/solutions/*.ipynb",
]
exclude_patterns = [
    ".*",
    "dist",
    "my-course",
    "docs/_build",
    "**/node_modules",
    # `make docs` builds these two with `tools/slides.py`.
    "docs/teaching/slides.md",
    "docs/teaching/handout.md",
]
html_theme = "furo"
html_title = project
# The counterpart of the theme's light style. Its own dark one underlines modules like links.
pygments_dark_style = "a11y-high-contrast-dark"
html_baseurl = os.environ.get("SITE_URL", "")
repository = os.environ.get("GITHUB_REPOSITORY", "")
html_show_copyright = False
html_copy_source = False
templates_path = ["_templates"]
html_additional_pages = {"index": "front.html"}
html_static_path = ["_static", "../notebooks/images"]
html_css_files = ["pages.css"]
html_favicon = "_static/favicon.svg"
# The notebooks are shown as they were saved.
nb_execution_mode = "off"
# Links such as `glossary.md#bearer`, with the anchors that a code host gives to headings.
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
# `time.time` in a signature, and not what it is at run time.
autodoc_preserve_defaults = True
autodoc_class_signature = "separated"
napoleon_google_docstring = True
napoleon_use_ivar = True
