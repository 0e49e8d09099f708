"""Reads a picture as its reader does: the texts in order, and what the colours say."""

from __future__ import annotations

from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"


def root_of(picture: str) -> ElementTree.Element:
    """The parsed picture: so it is well-formed XML."""
    root = ElementTree.fromstring(picture)
    assert root.tag == f"{SVG}svg"
    return root


def size(picture: str) -> tuple[float, float]:
    """Its width and height in pixels."""
    _, _, width, height = root_of(picture).get("viewBox", "").split()
    return float(width), float(height)


def texts(picture: str) -> list[str]:
    """The texts, in the order in which they are drawn."""
    return [element.text or "" for element in root_of(picture).iter(f"{SVG}text")]


def texts_in(picture: str, role: str) -> list[str]:
    """The texts in the colour of a role."""
    return [
        element.text or ""
        for element in root_of(picture).iter(f"{SVG}text")
        if role in element.get("class", "").split()
    ]


def same(*pictures: str) -> bool:
    """Are they equal? pytest would take minutes to show where two long lines differ."""
    return len(set(pictures)) == 1


def said(picture: str, part: str) -> str:
    """The picture's "title" or "desc"."""
    [element] = root_of(picture).findall(f"{SVG}{part}")
    return element.text or ""
