"""What every picture is made of: text, badges and arrows.

One SVG is right in light and dark, on paper and in high contrast: its colours are CSS variables.
Inside a page they follow JupyterLab's theme (also in Voilà), VS Code's or Colab's; as a file they
follow the reader's system, and as the saved output of a cell they are light: a page shows it as an
image, which can't see the page's theme. The picture paints its own background, so its text is
readable wherever it is put.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from typing import Any, ClassVar, Literal, TypeAlias

import svg

from ...display import as_svg
from .style import PLAYING, STYLE, SYSTEM

#: What a colour says.
Role: TypeAlias = Literal[
    "plain", "muted", "ok", "bad", "warn", "panel", "client", "server", "database", "access"
]

Anchor: TypeAlias = Literal["start", "middle", "end"]

#: What a picture is made of.
Element: TypeAlias = svg.Element

#: Pixels of the panel's type, to which a picture's width is related: larger type, larger picture.
_BASE = 13

#: The widest image, in pixels: a notebook's page has room for it.
_IMAGE = 860

#: An average character of the 12-pixel type, in pixels; of the widest usual fonts.
_CHARACTER, _STRONG = 6.9, 7.6


def drawing(
    title: str,
    description: str,
    width: float,
    height: float,
    elements: Iterable[svg.Element],
    *,
    playable: bool = False,
    role: Literal["img", "group"] = "img",
) -> str:
    """A whole picture as SVG text.

    Args:
        title (str): what it shows, in a few words.
        description (str): the same as the picture, in words.
        width, height (float): in pixels.
        elements: what is drawn, the first at the bottom.
        playable (bool): with the class "plays", the elements of class "step" appear one after
            the other.
        role: "group" if there are buttons in it; an image has none.
    """
    ems = svg.Length(round(width / _BASE, 2), "em")
    root = svg.SVG(
        viewBox=svg.ViewBoxSpec(0, 0, round(width), round(height)),
        width=ems,
        style=f"--lab-width:{ems}",  # for a page that limits how small the picture becomes
        class_=["lab-picture"],
        extra={"role": role},
        elements=[
            svg.Title(text=as_svg(title)),
            svg.Desc(text=as_svg(description)),
            svg.Style(text=STYLE + (PLAYING if playable else "")),
            *elements,
        ],
    )
    return str(root)


def as_image(picture: str, *, alone: bool = False) -> str:
    """The same with a width in pixels, for a page that displays it as an image.

    Inside a page a picture grows with the type. As an image it would take its browser's type, and
    nbconvert's pages cut off what is too wide. They are also light when the reader's system is
    dark, so the picture is.

    Args:
        picture (str): SVG text of `drawing`.
        alone (bool): it is a file, which is dark if the reader's system is.
    """
    width = float(picture.partition('viewBox="')[2].split()[2])
    picture = picture if alone else picture.replace(SYSTEM, "")
    return re.sub(r'width="[\d.]+em"', f'width="{min(width, _IMAGE):g}"', picture, count=1)


def in_words(picture: str) -> str:
    """What a picture says of itself: its title, then its description."""
    title, description = (
        unescape(picture.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0])
        for tag in ("title", "desc")
    )
    return f"{title}\n{description}"


# Most words of a picture are there many times.
@lru_cache(maxsize=1024)
def width_of(words: str, *, strong: bool = False) -> float:
    """About how wide a text is, in pixels. Fonts differ, so this is on the wide side."""
    each = _STRONG if strong else _CHARACTER
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in words)
    # Products: the sum of many floats depends on the version of Python (3.12 adds exactly).
    return 12.5 * wide + each * (len(words) - wide)


class _Sparse(svg.Element):
    """An element of which few attributes are set, with their names as in SVG.

    A picture has hundreds of texts, boxes and arrows. svg.py stores each of the 50 to 70 attributes
    that such an element may have, and looks at each when it writes: most of a picture's time.
    """

    def __init__(self, kind: type[svg.Element], attributes: dict[str, Any], text: str = "") -> None:
        self.element_name = kind.element_name  # type: ignore[misc]
        self.text = text
        self._attributes = attributes

    def as_dict(self) -> dict[str, str]:
        return self._attributes


def label(x: float, y: float, words: str, *classes: str, anchor: Anchor = "middle") -> Element:
    """A text whose baseline is at `y`. Classes: a role, "strong", "mono"."""
    look: dict[str, str] = {} if anchor == "start" else {"text-anchor": anchor}
    if classes:
        look["class"] = " ".join(classes)
    return _Sparse(svg.Text, {**look, "x": _px(x), "y": _px(y)}, as_svg(words))


def badge(x: float, y: float, words: str, role: Role) -> list[Element]:
    """A pill with a text in it, around the point (x, y)."""
    width = width_of(words, strong=True) + 20
    return [
        box(x - width / 2, y - 11, width, 22, "box", role, radius=11),
        label(x, y + 4, words, "strong", role),
    ]


def box(
    x: float, y: float, width: float, height: float, *classes: str, radius: float = 6
) -> Element:
    """A rectangle. Classes: a role, "box", "frame", "back", "solid" or "faded"."""
    size = {"width": _px(width), "height": _px(height), "rx": radius}
    return _Sparse(svg.Rect, {"class": " ".join(classes), "x": _px(x), "y": _px(y), **size})


def line(x1: float, y1: float, x2: float, y2: float, *classes: str) -> Element:
    """A stroke. Classes: a role, "dashed"."""
    ends = {"x1": _px(x1), "y1": _px(y1), "x2": _px(x2), "y2": _px(y2)}
    return _Sparse(svg.Line, {"class": " ".join(("line", *classes)), **ends})


def arrow(start: float, end: float, y: float, role: Role, *, dashed: bool = False) -> list[Element]:
    """A horizontal arrow that stops short of both lanes."""
    way = 1 if end > start else -1
    tip = end - 3 * way
    back = _px(tip - 7 * way)
    points = f"{_px(tip)},{_px(y)} {back},{_px(y - 4)} {back},{_px(y + 4)}"
    return [
        line(start, y, tip - 6 * way, y, role, *(["dashed"] if dashed else [])),
        _Sparse(svg.Polygon, {"class": f"head {role}", "points": points}),
    ]


def moving(start: float, end: float, y: float, role: Role) -> svg.Circle:
    """A dot that travels along an arrow while its picture plays."""
    return svg.Circle(
        cx=_px(start), cy=_px(y), r=5, class_=["solid", "dot", role],
        style=f"--way:{_px(end - start)}px",
    )  # fmt: skip


@dataclass
class _HtmlButton(svg.Element):
    element_name: ClassVar[str] = "button"


def button(
    x: float,
    y: float,
    width: float,
    words: str,
    asks: str,
    *,
    name: str = "",
    opened: bool | None = None,
) -> svg.ForeignObject:
    """An HTML button, 24 pixels high, for a picture in a widget that answers its clicks.

    Args:
        x, y, width (float): its top left corner and its width, in pixels.
        words (str): its label.
        asks (str): what the click is for.
        name (str): its accessible name, which begins with the label; the label by default.
        opened (bool | None): for a button that opens and closes something, its state.
    """
    state = {} if opened is None else {"aria-expanded": str(opened).lower()}
    if name:
        state["aria-label"] = as_svg(name)
    within = _HtmlButton(
        text=as_svg(words),
        data={"asks": asks},
        extra={"xmlns": "http://www.w3.org/1999/xhtml", "type": "button", **state},
    )
    return svg.ForeignObject(x=_px(x), y=_px(y), width=_px(width), height=24, elements=[within])


def _px(number: float) -> int | float:
    """Half pixels are exact enough, and make the text short."""
    rounded = round(number * 2) / 2
    return int(rounded) if rounded == int(rounded) else rounded
