"""The token family of a session, as the server's database has it.

    for node in family_tree(database, family):
        print(node.name, node.state)

Ids are random, so the tokens are called "token 1", "token 2" and so on, in the order of their
issue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from demo_server.storage.database import Database, guard_of


@dataclass(frozen=True)
class Node:
    """A refresh token of a family.

    Attributes:
        name (str): "token 1" for the one of the login.
        parent (str | None): the name of the token that was spent for it.
        issued_at (float): in seconds since the epoch.
        spent_at (float | None): the same for its first use; None if it was not used.
        revoked (str | None): why its family was revoked; None if it was not.
        repeated_at (float | None): when the grace period last sent it again; None if it never did.
    """

    name: str
    parent: str | None
    issued_at: float
    spent_at: float | None
    revoked: str | None
    repeated_at: float | None = None

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
            repeated_at=document.get("repeated_at"),
        )
        for document in documents
    )


def tree_text(nodes: Sequence[Node]) -> str:
    """The family as lines of text, each token under the one that it follows. Times count from
    the first token, in seconds."""
    lines: list[str] = []

    def add(node: Node, depth: int) -> None:
        arrow = "   " * (depth - 1) + "└─▶ " if depth else ""
        lines.append(f"{arrow}{node.name}: {', '.join(facts(node, nodes[0].issued_at))}")
        for child in nodes:
            if child.parent == node.name:
                add(child, depth + 1)

    for node in nodes:
        if node.parent is None:
            add(node, 0)
    return "\n".join(lines)


def facts(node: Node, first: float) -> list[str]:
    """What happened to a token, one after the other, in seconds from `first`."""
    told = [f"issued at {node.issued_at - first:g} s"]
    if node.repeated_at is not None:
        told.append(f"sent again at {node.repeated_at - first:g} s")
    told.append("unspent" if node.spent_at is None else f"spent at {node.spent_at - first:g} s")
    return [*told, "revoked"] if node.revoked is not None else told
