"""The family tree: nodes from the documents of the server's database, as text and as a graph."""

from __future__ import annotations

from typing import Any

import pytest
from jwt_course.lesson_06.family_tree import Node, family_tree, tree_mermaid, tree_text
from jwt_course.lesson_06.theft import family_of

from client_widget import AuthClient, EventLog
from demo_server import DemoClock, DemoServer, ServerConfig, open_database

from ..conftest import PASSWORD, START


@pytest.fixture
def database() -> Any:
    return open_database()


@pytest.fixture
def owner(database: Any, clock: DemoClock, log: EventLog) -> Any:
    config = ServerConfig(policy="rfc", bcrypt_cost=4)
    with DemoServer(config, database=database, clock=clock) as server:
        client = AuthClient(server.url, log=log, clock=clock, logout_path="/logout")
        client.register("ada", PASSWORD)
        client.login("ada", PASSWORD)
        yield client


def test_a_login_and_two_refreshes(owner: AuthClient, database: Any, clock: DemoClock) -> None:
    for _ in range(2):
        clock.advance(61)
        owner.home()
    assert family_tree(database, family_of(owner)) == (
        Node("token 1", None, START, START + 61, None),
        Node("token 2", "token 1", START + 61, START + 122, None),
        Node("token 3", "token 2", START + 122, None, None),
    )


def test_a_logout_revokes_all_of_a_family(
    owner: AuthClient, database: Any, clock: DemoClock
) -> None:
    family = family_of(owner)
    clock.advance(61)
    owner.home()
    owner.logout()
    nodes = family_tree(database, family)
    assert [node.state for node in nodes] == ["spent, revoked", "unspent, revoked"]
    assert {node.revoked for node in nodes} == {"logged_out"}


def test_another_login_is_another_family(owner: AuthClient, database: Any) -> None:
    first = family_of(owner)
    owner.login("ada", PASSWORD)
    assert family_of(owner) != first
    assert len(family_tree(database, first)) == len(family_tree(database, family_of(owner))) == 1


def test_there_is_no_such_family(database: Any) -> None:
    assert family_tree(database, "nobody's") == ()
    assert tree_text(()) == ""


FORK = (
    Node("token 1", None, 100, 161, None),
    Node("token 2", "token 1", 161, 222.5, None),
    Node("token 3", "token 1", 161, None, None),
    Node("token 4", "token 2", 222.5, None, None),
)


def test_as_text_each_token_is_under_its_parent() -> None:
    assert tree_text(FORK).splitlines() == [
        "token 1: issued at 0 s, spent at 61 s",
        "└─▶ token 2: issued at 61 s, spent at 122.5 s",
        "   └─▶ token 4: issued at 122.5 s, unspent",
        "└─▶ token 3: issued at 61 s, unspent",
    ]


def test_as_a_graph_each_token_has_its_state_and_its_parent() -> None:
    lines = [line.strip() for line in tree_mermaid(FORK).splitlines()]
    assert lines[0] == "flowchart LR"
    assert lines[1:8] == [
        'token1["token 1: spent"]:::spent',
        'token2["token 2: spent"]:::spent',
        'token3["token 3: unspent"]:::unspent',
        'token4["token 4: unspent"]:::unspent',
        "token1 -- spent for --> token2",
        "token1 -- spent for --> token3",
        "token2 -- spent for --> token4",
    ]
    assert [line.split()[1] for line in lines[8:]] == ["unspent", "spent", "revoked"]


def test_a_revoked_family_looks_revoked() -> None:
    node = Node("token 1", None, 100, None, "reuse_detected")
    assert tree_text([node]) == "token 1: issued at 0 s, unspent, revoked"
    assert 'token1["token 1: unspent, revoked"]:::revoked' in tree_mermaid([node])
