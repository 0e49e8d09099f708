"""A question with its answers to choose from, for a page on which nothing can be chosen."""

from __future__ import annotations

from collections.abc import Sequence

import svg

from .shapes import box, drawing, label, width_of

# Pixels.
_WIDTH, _LEFT, _ROW, _EDGE = 640, 16, 22, 12


def choices(question: str, answers: Sequence[str]) -> str:
    """The picture as SVG text. The same arguments give the same text.

    Args:
        question (str): broken into lines.
        answers (Sequence[str]): one circle each; none if the answer is a number.
    """
    elements: list[svg.Element] = []
    y = _EDGE
    for words in _lines(question, _WIDTH - 2 * _LEFT, strong=True):
        y += _ROW
        elements.append(label(_LEFT, y - 7, words, "strong", anchor="start"))
    y += 4
    for answer in answers:
        for number, words in enumerate(_lines(answer, _WIDTH - 2 * _LEFT - 22)):
            y += _ROW
            if not number:
                elements.append(svg.Circle(cx=_LEFT + 7, cy=y - 11, r=6, class_=["box", "muted"]))
            elements.append(label(_LEFT + 22, y - 7, words, anchor="start"))
    if not answers:
        y += _ROW
        elements.append(box(_LEFT, y - 20, 64, 20, "box", "muted", radius=3))
        elements.append(label(_LEFT + 74, y - 6, "a number", "muted", anchor="start"))
    frame = box(0.5, 0.5, _WIDTH - 1, y + _EDGE - 1, "box", radius=6)
    words = f"{question} {'; '.join(answers) or 'The answer is a number.'}"
    return drawing("A question", words, _WIDTH, y + _EDGE, [frame, *elements])


def _lines(text: str, width: float, *, strong: bool = False) -> list[str]:
    """Lines that are shorter than `width`: one that would just fit may not, in another font."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width_of(longer, strong=strong) >= width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
