"""What a lesson's cell displays: a picture, or JavaScript of the front end.

The JavaScript is read from the server's package, so a lesson shows the code that the browser runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from client_widget.log.pictures.shapes import as_image
from client_widget.log.pictures.table import Cell, table
from demo_server.web.front_end import source_of

_WORKS, _REFUSED = Cell("works", "bad"), Cell("refused", "ok")


class Picture:
    """A picture as SVG, with the same in words for a terminal.

    Args:
        svg (str): of `client_widget.log.pictures`, or made of its shapes.
        words (str): the same as text.
    """

    def __init__(self, svg: str, words: str) -> None:
        self.svg, self.words = svg, words

    def __repr__(self) -> str:
        return self.words

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"image/svg+xml": as_image(self.svg), "text/plain": self.words}


class Source:
    """What a cell displays: the text of a module, highlighted where Markdown is.

    Attributes:
        name (str): the file's name.
        text (str): what is in it.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        title = f"`demo_server/web/front_end/{self.name}`"
        code = f"```javascript\n{self.text}```"
        # In nbconvert's pages, code in an output has the font of what is around it.
        monospaced = f'<div style="font-family: monospace">\n\n{code}\n\n</div>'
        return {"text/markdown": f"{title}\n\n{monospaced}\n", "text/plain": self.text}


def show_source(name: str) -> Source:
    """The source of a module of the front end, as a cell displays it.

    Args:
        name (str): such as "single_flight.js".

    Raises:
        KeyError: the front end has no such file.
    """
    return Source(name, source_of(name))


def attacks_picture(results: Mapping[str, Mapping[str, bool]]) -> Picture:
    """A table: which attack got through where.

    Args:
        results: by attack, and then by target or protection, whether it worked.
    """
    heads = ["attack", *next(iter(results.values()))]
    rows = [
        [Cell(attack), *(_WORKS if hit else _REFUSED for hit in hits.values())]
        for attack, hits in results.items()
    ]
    words = "\n".join(
        f"{attack}: {', '.join(name for name, hit in hits.items() if hit) or 'nowhere'}"
        for attack, hits in results.items()
    )
    return Picture(table("The attacks", heads, rows), f"The attacks that work\n{words}")
