"""The family tree: nodes from the documents of the server's database, as text and as a picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from jwt_course.lesson_06.family_picture import family_picture
from jwt_course.lesson_06.family_tree import Node, family_tree, tree_text
from jwt_course.lesson_06.theft import family_of

from client_widget import AuthClient, EventLog
from demo_server import DemoClock, DemoServer, ServerConfig, open_database

from ..client_widget.log.pictures.reading import SVG, root_of, said, texts, texts_in
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


def test_as_a_picture_a_column_is_a_generation_and_a_fork_is_a_row_more() -> None:
    picture = family_picture(FORK)
    at = {
        element.text: (float(element.get("x", 0)), float(element.get("y", 0)))
        for element in root_of(picture.svg).iter(f"{SVG}text")
    }
    names = [f"token {number}" for number in (1, 2, 3, 4)]
    x, y = ([at[name][axis] for name in names] for axis in (0, 1))
    assert x[0] < x[1] == x[2] < x[3]
    assert y[0] == y[1] == y[3] < y[2]
    assert x[1] == at["generation 2"][0]


def test_a_spent_token_fades_and_an_unspent_one_does_not() -> None:
    def faded(node: Node) -> int:
        boxes = root_of(family_picture([node]).svg).iter(f"{SVG}rect")
        return sum("faded" in box.get("class", "") for box in boxes)

    assert faded(Node("token 1", None, 100, 161, None)) == 1
    assert faded(Node("token 1", None, 100, None, None)) == 0


def test_the_picture_says_what_the_text_says() -> None:
    picture = family_picture(FORK)
    assert picture.words == repr(picture) == tree_text(FORK)
    assert said(picture.svg, "desc") == tree_text(FORK)
    assert "no such family" in texts(family_picture(()).svg)


def test_a_revoked_family_looks_revoked() -> None:
    node = Node("token 1", None, 100, None, "reuse_detected")
    assert tree_text([node]) == "token 1: issued at 0 s, unspent, revoked"
    why = "A spent token came again: every token of the family is revoked"
    picture = family_picture([node])
    assert texts_in(picture.svg, "bad") == ["token 1", why]
    assert said(picture.svg, "desc") == f"{tree_text([node])}\n{why}"
    assert "Revoked: for <b>fun</b>" in texts(
        family_picture([replace(node, revoked="for <b>fun</b>")]).svg
    )


def test_a_token_that_the_grace_period_sent_again(database: Any, clock: DemoClock) -> None:
    config = ServerConfig(policy="rfc", bcrypt_cost=4, refresh_grace=30)
    with DemoServer(config, database=database, clock=clock) as server:
        client = AuthClient(server.url, clock=clock)
        client.register("ada", PASSWORD)
        client.login("ada", PASSWORD)
        pair = client.store.get()
        assert pair is not None
        for _ in range(2):
            clock.advance(2)
            client.probe(pair.refresh, "refresh")
        nodes = family_tree(database, family_of(client))
    assert tree_text(nodes).endswith("token 2: issued at 2 s, sent again at 4 s, unspent")
    assert "sent again at 4 s" in texts(family_picture(nodes).svg)
