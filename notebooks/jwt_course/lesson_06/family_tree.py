"""The token family of a session, as the server's database has it.

    for node in family_tree(database, family):
        print(node.name, node.state)

Ids are random, so the tokens are called "token 1", "token 2" and so on, in the order of their
issue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from demo_server.database import Database, guard_of


@dataclass(frozen=True)
class Node:
    """A refresh token of a family.

    Attributes:
        name (str): "token 1" for the one of the login.
        parent (str | None): the name of the token that was spent for it.
        issued_at (float): in seconds since the epoch.
        spent_at (float | None): the same for its first use; None if it was not used.
        revoked (str | None): why its family was revoked; None if it was not.
    """

    name: str
    parent: str | None
    issued_at: float
    spent_at: float | None
    revoked: str | None

    @property
    def state(self) -> str:
        """The token's state: "unspent", "spent", or either followed by "revoked"."""
        use = "unspent" if self.spent_at is None else "spent"
        return use if self.revoked is None else f"{use}, revoked"


def family_tree(database: Database, family: str) -> tuple[Node, ...]:
    """The refresh tokens of a family, oldest first; none if there is no such family.

    Args:
        database (Database): the server's.
        family (str): the family's id, which is the claim `sid` of its tokens.
    """
    with guard_of(database):
        head = database["families"].find_one({"_id": family})
        documents = list(database["refresh_tokens"].find({"family": family}))
    if head is None:
        return ()
    documents.sort(key=lambda document: document["issued_at"])
    names = {document["_id"]: f"token {n}" for n, document in enumerate(documents, start=1)}
    return tuple(
        Node(
            name=names[document["_id"]],
            parent=names.get(document["parent"]),
            issued_at=document["issued_at"],
            spent_at=document["spent_at"],
            revoked=head["revoked"],
        )
        for document in documents
    )


def tree_text(nodes: Sequence[Node]) -> str:
    """The family as lines of text, each token under the one that it follows. Times count from
    the first token, in seconds."""
    lines: list[str] = []

    def add(node: Node, depth: int) -> None:
        first = nodes[0].issued_at
        spent = "unspent" if node.spent_at is None else f"spent at {node.spent_at - first:g} s"
        revoked = "" if node.revoked is None else ", revoked"
        arrow = "   " * (depth - 1) + "└─▶ " if depth else ""
        issued = f"issued at {node.issued_at - first:g} s"
        lines.append(f"{arrow}{node.name}: {issued}, {spent}{revoked}")
        for child in nodes:
            if child.parent == node.name:
                add(child, depth + 1)

    for node in nodes:
        if node.parent is None:
            add(node, 0)
    return "\n".join(lines)


_LOOKS = {
    "unspent": "fill:#d5f0d8,stroke:#2e7d32,color:#111",
    "spent": "fill:#e6e6e6,stroke:#777,color:#111",
    "revoked": "fill:#f8d4d4,stroke:#b3261e,color:#111",
}


def tree_mermaid(nodes: Sequence[Node]) -> str:
    """The family as a Mermaid graph, for `display({"text/vnd.mermaid": …}, raw=True)`."""
    lines = ["flowchart LR"]
    for node in nodes:
        look = "revoked" if node.revoked is not None else node.state
        lines.append(f'    {_id(node.name)}["{node.name}: {node.state}"]:::{look}')
    lines += [
        f"    {_id(node.parent)} -- spent for --> {_id(node.name)}" for node in nodes if node.parent
    ]
    lines += [f"    classDef {name} {style}" for name, style in _LOOKS.items()]
    return "\n".join(lines)


def _id(name: str) -> str:
    return name.replace(" ", "")
