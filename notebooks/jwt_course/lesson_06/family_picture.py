"""The picture of a token family: a column for each generation, a box for each token.

    family_picture(family_tree(database, family))

A spent token fades, a revoked one is red.
"""

from __future__ import annotations

from collections.abc import Sequence

from client_widget.log.pictures.shapes import Element, Role, arrow, badge, box, drawing, label, line

from ..outputs import Picture
from .family_tree import Node, facts, tree_text

_WIDTH, _HEIGHT, _GAP, _MARGIN, _HEAD = 144, 74, 62, 16, 40

_REASONS = {
    "reuse_detected": "A spent token came again: every token of the family is revoked",
    "logged_out": "Logged out: every token of the family is revoked",
}


def family_picture(nodes: Sequence[Node]) -> Picture:
    """The family as a picture; none of its ids is in it.

    Args:
        nodes (Sequence[Node]): its tokens, oldest first.
    """
    at = _places(nodes)
    columns = 1 + max((column for column, _ in at.values()), default=0)
    rows = 1 + max((row for _, row in at.values()), default=0)
    width = 2.0 * _MARGIN + columns * (_WIDTH + _GAP) - _GAP
    bottom = _HEAD + rows * (_HEIGHT + 18.0)
    parts: list[Element] = [
        label(_MARGIN + column * (_WIDTH + _GAP) + _WIDTH / 2, 24, words, "muted")
        for column in range(columns)
        for words in [f"generation {column + 1}" if nodes else "no such family"]
    ]
    for node in nodes:
        x, y = _corner(at[node.name])
        if node.parent is not None:
            parts += _descent(_corner(at[node.parent]), (x, y))
        parts += _token(node, nodes[0].issued_at, x, y)
    words = [tree_text(nodes)]
    reason = next((node.revoked for node in nodes if node.revoked is not None), None)
    if reason is not None:
        words.append(_REASONS.get(reason, f"Revoked: {reason}"))
        width = max(width, 7.6 * len(words[1]) + 20 + 2 * _MARGIN)
        parts += badge(width / 2, bottom + 10, words[1], "bad")
        bottom += 34
    back = box(0, 0, width, bottom, "back", radius=0)
    svg = drawing("The token family", "\n".join(words), width, bottom, [back, *parts])
    return Picture(svg, "\n".join(words))


def _places(nodes: Sequence[Node]) -> dict[str, tuple[int, int]]:
    """Column and row of each token: a first child is next to its parent, the others below."""
    at: dict[str, tuple[int, int]] = {}

    def place(node: Node, column: int, row: int) -> int:
        """Returns the first row that is free after it."""
        at[node.name] = column, row
        free = row
        for child in nodes:
            if child.parent == node.name:
                free = place(child, column + 1, free)
        return max(free, row + 1)

    row = 0
    for node in nodes:
        if node.parent is None:
            row = place(node, 0, row)
    return at


def _corner(place: tuple[int, int]) -> tuple[float, float]:
    column, row = place
    return _MARGIN + column * (_WIDTH + _GAP), _HEAD + row * (_HEIGHT + 18)


def _descent(parent: tuple[float, float], child: tuple[float, float]) -> list[Element]:
    """The arrow from a token to the one that it was spent for."""
    start, y, end = parent[0] + _WIDTH, parent[1] + _HEIGHT / 2, child[1] + _HEIGHT / 2
    middle = start + _GAP / 2
    bend = [line(start, y, middle, y, "muted"), line(middle, y, middle, end, "muted")]
    return [*bend, *arrow(middle, child[0], end, "muted")]


def _token(node: Node, first: float, x: float, y: float) -> list[Element]:
    spent, revoked = node.spent_at is not None, node.revoked is not None
    told = facts(node, first)
    role: Role = "bad" if revoked else "muted" if spent else "ok"
    back = box(x, y, _WIDTH, _HEIGHT, "box", role, *(["faded"] if spent else []))
    middle = x + _WIDTH / 2
    return [
        back,
        label(middle, y + 19, node.name, "strong", role),
        *(
            label(middle, y + 36 + 15 * number, fact, "plain" if number else "muted")
            for number, fact in enumerate(told[: len(told) - revoked])
        ),
    ]
