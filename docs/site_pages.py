"""What the site adds to its pages, as an extension of Sphinx.

- A bar below each lesson's title opens it in the browser lab, Binder or Colab, or downloads it.
- SVG pictures are part of their page, so they follow its theme.
- A shared link gets a title, a description and a picture (https://ogp.me).
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from posixpath import join
from typing import Any

from docutils import nodes
from jwt_course import copies
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

DESCRIPTION = (
    "A real login server, a clock that you move, and every step in the life of a JWT: it is "
    "issued, it expires, the client refreshes and retries, and the session ends."
)

#: What search engines and previews show of a description.
LENGTH = 200

#: This lesson needs a package that a browser tab does not have.
NOT_IN_A_TAB = {"11_keys.ipynb"}

#: The lab in a browser tab, seen from a lesson's page. `make site` puts it there.
LITE = "../lite/lab/index.html?path="


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_config_value("repository", "", "env", str, "OWNER/NAME on GitHub")
    app.connect("source-read", link_to_slides)
    app.connect("doctree-read", add_bar)
    app.connect("doctree-resolved", put_pictures_into_page)
    app.connect("html-page-context", describe)
    app.connect("build-finished", write_downloads)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def link_to_slides(app: Sphinx, page: str, source: list[str]) -> None:
    """Slides and handout are no pages of Sphinx: link to the HTML that `tools/slides.py` writes."""
    if page == "docs/teaching/index":
        source[0] = re.sub(
            r"\[([^\]]+)\]\((slides|handout)\.md\)",
            r'<a href="\2.html">\1</a> (<a href="\2.pdf">PDF</a>)',
            source[0],
        )


def bar(notebook: str, repository: str) -> str:
    """The buttons of a notebook's page, as HTML.

    Args:
        notebook (str): its path in the project.
        repository (str): OWNER/NAME on GitHub; "" if unknown, and then neither Binder nor Colab can
            be told where to look.
    """
    path = Path(notebook)
    lesson = re.fullmatch(r"notebooks/\d\d_\w+\.ipynb", notebook)
    links = {}
    if lesson and path.name not in NOT_IN_A_TAB:
        links["Run in this browser"] = LITE + path.name
    if repository:
        tree = f"my-course/{path.name}" if lesson else notebook
        links["Binder"] = f"https://mybinder.org/v2/gh/{repository}/HEAD?urlpath=lab/tree/{tree}"
        links["Colab"] = (
            f"https://colab.research.google.com/github/{repository}/blob/main/{notebook}"
        )
    buttons = [f'<a href="{escape(url)}">{name}</a>' for name, url in links.items()]
    buttons.append(f'<a href="{path.name}" download>Download</a>')
    if repository:
        install = f'%pip install "git+https://github.com/{repository}"'
        buttons.append(f"<small>In Colab, first run <code>{escape(install)}</code></small>")
    return f'<p class="lesson-bar">{" ".join(buttons)}</p>'


def add_bar(app: Sphinx, doctree: nodes.document) -> None:
    notebook = Path(app.env.doc2path(app.env.docname)).relative_to(app.srcdir).as_posix()
    if notebook.endswith(".ipynb"):
        title = next(doctree.findall(nodes.title))
        html = bar(notebook, app.config.repository)
        title.parent.insert(title.parent.index(title) + 1, nodes.raw("", html, format="html"))


def put_pictures_into_page(app: Sphinx, doctree: nodes.document, page: str) -> None:
    for image in list(doctree.findall(nodes.image)):
        if image["uri"].endswith(".svg"):
            svg = (Path(app.srcdir) / image["uri"]).read_text(encoding="utf-8")
            image.replace_self(nodes.raw("", f'<div class="picture">{svg}</div>', format="html"))


def describe(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Say what a shared link shows. An address is absolute if `html_baseurl` is known."""
    base = app.config.html_baseurl
    picture = f"_static/{_picture(page)}"
    facts = {
        "og:type": "website",
        "og:site_name": app.config.project,
        "og:title": re.sub("<[^>]+>", "", context.get("title") or app.config.project),
        "og:description": _first_words(doctree) or DESCRIPTION,
        "og:image": join(base, picture) if base else context["pathto"](picture, resource=True),
    }
    if base:
        facts["og:url"] = join(base, f"{page}.html")
    tags = [f'<meta property="{name}" content="{escape(text)}">' for name, text in facts.items()]
    tags.append(f'<meta name="description" content="{escape(facts["og:description"])}">')
    tags.append('<meta name="twitter:card" content="summary_large_image">')
    context["metatags"] = context.get("metatags", "") + "\n".join(tags)


def _picture(page: str) -> str:
    """The name of the picture that shows what a page is about."""
    number = re.match(r"notebooks/(\d\d)_", page)
    name = f"lesson_{number[1]}.png" if number else ""
    images = Path(__file__).parent.parent / "notebooks" / "images"
    return name if (images / name).is_file() else "panel.png"


def _first_words(doctree: nodes.document | None) -> str:
    """The first paragraph, cut at the end of a word."""
    for paragraph in doctree.findall(nodes.paragraph) if doctree else ():
        words = " ".join(paragraph.astext().split())
        return words if len(words) <= LENGTH else words[:LENGTH].rpartition(" ")[0] + " …"
    return ""


def write_downloads(app: Sphinx, error: Exception | None) -> None:
    """Next to each notebook's page, the notebook as a learner gets it: without outputs."""
    if error:
        return
    for page in app.env.found_docs:
        source = Path(app.env.doc2path(page))
        if source.suffix == ".ipynb":
            target = Path(app.outdir) / source.relative_to(app.srcdir)
            target.write_bytes(copies.fresh(source))
