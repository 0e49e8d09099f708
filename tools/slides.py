"""The slides and the handout, from their Markdown: `make slides`.

    python tools/slides.py [FOLDER]     # docs/_build/teaching

Writes `slides.html`, `slides.pdf`, `handout.html` and `handout.pdf`. Each file is complete: it
contains its pictures, and its policy forbids every request. The pictures are those of real runs:
a file that `make notebooks` or `make pictures` has written, or `NOTEBOOK.ipynb#CELL`, the SVG that
the cell of a saved notebook shows.
"""

from __future__ import annotations

import json
import re
import sys
from base64 import b64encode
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run as a script, too

from tests.browser.chromium import find_browser  # noqa: E402

SOURCES = ROOT / "docs" / "teaching"
NAMES = ("slides", "handout")

_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{title}</title>
<style>{style}</style>
<main class="{name}">
{body}
</main>
<script>{script}</script>
</html>
"""

_COMMON = """
* { box-sizing: border-box }
body { margin: 0; color: #1d2430; background: #fff;
  font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; line-height: 1.4 }
code { font-family: ui-monospace, monospace; font-size: .92em }
table { border-collapse: collapse }
th, td { text-align: left; vertical-align: top; border-bottom: 1px solid #c6ccd6 }
h1, h2 { line-height: 1.15; margin: 0 }
img { display: block; object-fit: contain; object-position: left top }
"""

_STYLES = {
    "slides": """
@page { size: 1280px 720px; margin: 0 }
html { scroll-snap-type: y mandatory; font-size: min(2.2vw, 3.9vh) }
section { height: 100vh; padding: 1.6rem 2.4rem; display: flex; flex-direction: column; gap: .8rem;
  scroll-snap-align: start; break-after: page; break-inside: avoid; overflow: hidden }
h1 { font-size: 2.4rem } h2 { font-size: 1.7rem; color: #1f4e9e }
p, ul, ol, table { margin: 0 } li { margin: .2rem 0 } th, td { padding: .3rem 1.2rem .3rem 0 }
p:has(img) { flex: 1; min-height: 0 } img { height: 100%; width: 100% }
pre { margin: 0; font-size: 1.05em }
@media print { html { font-size: 28px } section { height: 720px } }
""",
    "handout": """
@page { size: A4; margin: 12mm }
main { max-width: 186mm; margin: 0 auto; font-size: 11.3pt }
h1 { font-size: 18pt } h2 { font-size: 12.5pt; margin: 3mm 0 1mm; color: #1f4e9e }
p, ul, ol { margin: 1mm 0 } ol { padding-left: 6mm } li { margin: .4mm 0 }
table { margin: 3mm 0 } th, td { padding: .5mm 6mm .5mm 0 }
/* The flow, and next to it the rules that it shows. */
p:has(img) { float: left; width: 84mm; margin-right: 8mm } img { width: 100% }
ol { display: flow-root } h2:nth-of-type(3) { clear: both }
""",
}

# The arrows and the space bar turn the pages.
_SCRIPTS = {
    "slides": """
addEventListener("keydown", event => {
  const step = {ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1,
    ArrowLeft: -1, ArrowUp: -1, PageUp: -1}[event.key]
  if (!step) return
  event.preventDefault()
  const at = Math.round(scrollY / innerHeight)
  document.querySelectorAll("section")[at + step]?.scrollIntoView()
})
""",
    "handout": "",
}


def build(folder: Path) -> None:
    """Write the HTML and the PDF of both into `folder`.

    Raises:
        LookupError: there is no browser that could print.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        options = {"executable_path": find_browser(), "args": ["--no-sandbox"]}
        browser = playwright.chromium.launch(**options)  # type: ignore[arg-type]
        page = browser.new_page()
        for name in NAMES:
            page.set_content(written := html(name))
            (folder / f"{name}.html").write_text(written, encoding="utf-8")
            page.pdf(
                path=folder / f"{name}.pdf",
                prefer_css_page_size=True,
                print_background=True,
                tagged=True,
            )
        browser.close()


def html(name: str) -> str:
    """The slides or the handout as one HTML document."""
    text = (SOURCES / f"{name}.md").read_text(encoding="utf-8")
    body = rendered(text)
    if name == "slides":
        body = "\n".join(f"<section>{slide}</section>" for slide in body.split("<hr />\n"))
    title = re.findall(r"^# (.+)$", text, re.MULTILINE)[0]
    return _PAGE.format(
        title=escape(title),
        name=name,
        body=body,
        style=_COMMON + _STYLES[name],
        script=_SCRIPTS[name],
    )


def rendered(text: str) -> str:
    """The HTML of some Markdown whose pictures are named relative to `SOURCES`.

    Raises:
        FileNotFoundError, KeyError: a picture is not there.
    """
    markdown = MarkdownIt("commonmark").enable("table")
    markdown.add_render_rule("image", _image)
    return str(markdown.render(text))


def _image(_self: object, tokens: list[Token], index: int, *_: object) -> str:
    """A picture with its bytes in the page."""
    path, _, cell = str(tokens[index].attrs["src"]).partition("#")
    file = SOURCES / path
    data = _svg_of(file, cell).encode() if cell else file.read_bytes()
    # Slides and handout are white on each screen.
    data = data.replace(b"@media(prefers-color-scheme:dark)", b"@media not all")
    kind = "image/png" if file.suffix == ".png" else "image/svg+xml"
    alt = escape(tokens[index].content)
    return f'<img alt="{alt}" src="data:{kind};base64,{b64encode(data).decode()}">'


def _svg_of(notebook: Path, cell: str) -> str:
    """The picture that a cell of a saved notebook shows.

    Raises:
        KeyError: there is no such cell, or it shows none.
    """
    for each in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        for output in each.get("outputs", []) if each["id"] == cell else []:
            if "image/svg+xml" in output.get("data", {}):
                return "".join(output["data"]["image/svg+xml"])
    raise KeyError(f"{notebook.name}: no picture in {cell}")


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/_build/teaching")
