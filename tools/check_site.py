"""Check the built site: `python tools/check_site.py FOLDER`. `make site` does it.

- Each link inside the site leads to a file, and to an anchor in it.
- Each page loads its scripts, styles, pictures and fonts from the site itself.
- SVG pictures are part of their page. As images they would not follow its theme.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

#: The lab in a browser tab, which has its own tests. Only links into it are checked here.
LITE = "lite"

# What a browser loads by itself. A link of another kind says where something is.
_LOADING = {"icon", "modulepreload", "preload", "stylesheet"}

# Addresses in a style sheet, and in a script what it imports or fetches.
_IN_CSS = re.compile(r"(?:url\(\s*|@import\s+)[\"']?([^\"')\s;]+)")
_IN_SCRIPT = re.compile(r"(?:\bfrom|\bimport|\bimport\(|\bfetch\()\s*[\"'`]([^\"'`]+)[\"'`]")


class Page(HTMLParser):
    """What a page of HTML refers to.

    Attributes:
        anchors (set[str]): the ids that a link can name.
        links (list[str]): addresses that a reader follows.
        loads (list[str]): addresses that the browser loads by itself.
        images (list[str]): those of them that are in `<img>`.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.images: list[str] = []
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        self._inside = tag
        self.anchors |= {at[name] for name in ("id", "name") if name in at}
        if tag == "a" and "href" in at:
            self.links.append(at["href"])
        elif tag == "link" and "href" in at:
            kinds = set(at.get("rel", "").split())
            (self.loads if kinds & _LOADING else self.links).append(at["href"])
        elif tag == "meta" and at.get("http-equiv") == "refresh":
            self.links.append(at["content"].partition("url=")[2])
        elif tag == "meta" and at.get("property") == "og:image":
            self.links.append(at["content"])
        else:
            self.images += [at.get("src", "")] if tag == "img" else []
            names = {"src", "poster", "data", "xlink:href", "href"} & at.keys()
            self.loads += [at[name] for name in sorted(names)]
        self.loads += [each.split()[0] for each in at.get("srcset", "").split(",") if each]
        self.loads += _IN_CSS.findall(at.get("style", ""))

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.loads += _IN_CSS.findall(data)
        elif self._inside == "script":
            self.loads += _IN_SCRIPT.findall(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def faults(site: Path) -> Iterator[str]:
    """A sentence for each link that leads nowhere, and for each thing from another host."""
    for file in sorted(site.rglob("*")):
        name = file.relative_to(site)
        if name.parts[0] == LITE:
            continue
        if file.suffix == ".html":
            page = _page(file)
            loads, links = page.loads, page.links
            for address in page.images:
                if urlsplit(address).path.endswith(".svg"):
                    yield f"{name} shows {address} as an image"
        elif file.suffix == ".css":
            loads, links = _IN_CSS.findall(file.read_text(encoding="utf-8")), []
        else:
            continue
        for address in dict.fromkeys(loads):
            if urlsplit(address).netloc:
                yield f"{name} loads {address}"
            elif not _leads_somewhere(site, file, address):
                yield f"{name} loads {address}, which is not there"
        for address in dict.fromkeys(links):
            if not _leads_somewhere(site, file, address):
                yield f"{name} links to {address}, which is not there"


def _leads_somewhere(site: Path, origin: Path, address: str) -> bool:
    """Whether an address is outside the site, or names a file and an anchor in it."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return True
    target = (origin.parent / unquote(parts.path)).resolve() if parts.path else origin
    if not target.is_file() or not target.is_relative_to(site.resolve()):
        return False
    # In the lab, `path` names the notebook to open.
    for notebook in parse_qs(parts.query).get("path", []):
        if not (site / LITE / "files" / notebook).is_file():
            return False
    if not parts.fragment or target.suffix != ".html":
        return True
    return unquote(parts.fragment) in _page(target).anchors


@cache
def _page(file: Path) -> Page:
    return Page(file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    found = list(faults(Path(sys.argv[1]).resolve()))
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(bool(found))
