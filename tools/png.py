"""A picture as PNG, for viewers that draw no SVG.

The renderer knows no CSS variables. So each element first gets its own colours, those of paper:
a PNG can't follow a theme.
"""

from __future__ import annotations

import re
from io import BytesIO
from xml.etree import ElementTree

import resvg_py
from PIL import Image

SVG = "http://www.w3.org/2000/svg"

#: Pixels of the PNG for each of the picture: sharp on screens with two for one.
SCALE = 2

#: Colours of a PNG. Its pictures have few, and so it is a third as large.
COLOURS = 64

# Fonts that most systems have one of, for the families of the page.
_FONTS = {
    "system-ui": "DejaVu Sans, Noto Sans, Liberation Sans, Arial",
    "ui-monospace": "monospace",
}


def to_png(picture: str) -> bytes:
    """The picture as the bytes of a PNG.

    Args:
        picture (str): SVG text of `client_widget.log.pictures.shapes.as_image`.
    """
    drawn = BytesIO(resvg_py.svg_to_bytes(svg_string=plain(picture), zoom=SCALE))
    small = BytesIO()
    colours = Image.open(drawn).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    colours.save(small, "png", optimize=True)
    return small.getvalue()


def size(picture: str) -> dict[str, int]:
    """Its width and height on a page in pixels, as a notebook's metadata names them."""
    attributes = ElementTree.fromstring(picture).attrib
    _, _, width, height = map(float, attributes["viewBox"].split())
    shown = float(attributes["width"])
    return {"width": round(shown), "height": round(height * shown / width)}


def plain(picture: str) -> str:
    """The picture without style sheet: each element has its own colours."""
    ElementTree.register_namespace("", SVG)
    root = ElementTree.fromstring(picture)
    [style] = root.findall(f"{{{SVG}}}style")
    sheet = style.text or ""
    root.remove(style)
    root.attrib.update({name: str(pixels) for name, pixels in size(picture).items()})
    palette = _declared(sheet.partition("{")[2].partition("}")[0])
    rules: dict[str, dict[str, str]] = {}
    for selector, body in re.findall(r"\.lab-picture (text|\.[\w,. -]+)\{([^{}]*)\}", sheet):
        for each in selector.replace(".lab-picture", "").split(","):
            rules.setdefault(each.strip().removeprefix("."), {}).update(_declared(body))
    for element in root.iter():
        names = [element.tag.removeprefix(f"{{{SVG}}}"), *element.get("class", "").split()]
        # As in the sheet: a later rule wins, and a tag's is the first.
        own = {k: v for name in rules if name in names for k, v in rules[name].items()}
        known = palette | own
        drawn = {k: _value(v, known) for k, v in own.items() if not k.startswith("--")}
        if drawn:
            element.set("style", ";".join(f"{k}:{v}" for k, v in drawn.items()))
    return ElementTree.tostring(root, encoding="unicode")


def _declared(body: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in body.split(";") if part)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _value(value: str, known: dict[str, str]) -> str:
    """A value without variables."""
    while found := re.search(r"var\((--[\w-]+)(?:,((?:[^()]|\([^()]*\))*))?\)", value):
        name, other = found.groups()
        value = value.replace(found[0], known.get(name, other or "none"))
    for family, fonts in _FONTS.items():
        value = value.replace(family, fonts)
    return value
