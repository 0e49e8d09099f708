"""A picture of a lesson, as a cell's output: SVG, with the same in words for a terminal."""

from __future__ import annotations

from typing import Any

from client_widget.log.pictures.shapes import as_image


class Picture:
    """What a cell displays.

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
