"""The description of the API is true: schemathesis looks for an answer that it does not allow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS

from demo_server import DemoClock, ServerConfig, create_app, open_database
from demo_server.emit import ignore
from demo_server.usernames import MAX_LENGTH, fault_in
from demo_server.web.openapi import OPERATIONS

from ...conftest import START


def app_of(policy: str) -> Flask:
    config = ServerConfig(
        bcrypt_cost=4,
        policy=policy,
        teachers=("ada",),
        class_log=True,
        class_clock=True,
        cookie_session="both" if policy == "rfc" else "",
    )
    clock = DemoClock(start=START, rate=0)
    return create_app(config, database=open_database(), clock=clock, emit=ignore)


def document(policy: str) -> dict[str, Any]:
    answer = app_of(policy).test_client().get("/openapi.json")
    assert answer.status_code == 200
    described: dict[str, Any] = answer.get_json()
    return described


@pytest.mark.parametrize("policy", ["article", "rfc"])
def test_every_route_is_described(policy: str) -> None:
    assert document(policy)["openapi"] == "3.1.0"
    described = {(m, path) for path, item in document(policy)["paths"].items() for m in item}
    only_rfc = {each for each in OPERATIONS if each[1] == "/logout" or "cookie" in each[1]}
    assert described == set(OPERATIONS) - (set() if policy == "rfc" else only_rfc)


def test_the_policy_says_how_it_refuses() -> None:
    statuses = {
        policy: {
            path: sorted(status for o in item.values() for status in o["responses"])
            for path, item in document(policy)["paths"].items()
        }
        for policy in ("article", "rfc")
    }
    assert statuses["article"] == {
        "/class": ["200", "403", "503"],
        "/clock": ["200", "200", "400", "403", "413", "503"],
        "/events": ["200", "400", "403", "503"],
        "/home": ["200", "403"],
        "/openapi.json": ["200"],
        "/progress": ["204", "400", "403", "413", "503"],
        "/refresh": ["200", "400", "403", "413"],
        "/users/login": ["201", "400", "401", "413", "503"],
        "/users/register": ["201", "400", "403", "413", "503"],
    }
    assert statuses["rfc"] == {
        "/class": ["200", "401", "403", "503"],
        "/clock": ["200", "200", "400", "401", "403", "413", "503"],
        "/cookie/home": ["200", "401", "503"],
        "/cookie/login": ["201", "400", "401", "403", "413", "429", "503"],
        "/cookie/logout": ["204", "401", "403", "503"],
        "/cookie/note": ["200", "400", "401", "403", "413", "503"],
        "/cookie/refresh": ["200", "400", "403", "503"],
        "/events": ["200", "400", "401", "503"],
        "/home": ["200", "401", "503"],
        "/logout": ["204", "401", "503"],
        "/openapi.json": ["200"],
        "/progress": ["204", "400", "401", "413", "503"],
        "/refresh": ["200", "400", "413", "503"],
        "/users/login": ["201", "400", "401", "413", "429", "503"],
        "/users/register": ["201", "400", "409", "413", "503"],
    }


# JSON Schema has no words for NFC. The strategy is the server's own rule. Names of the
# lengths at the limit are among its values, since schemathesis looks for them, for seconds.
USERNAMES = (
    st.text(st.characters(categories=["L", "Nd", "P", "S"]), min_size=1, max_size=MAX_LENGTH)
    .map(str.strip)
    .filter(lambda name: fault_in(name) is None)
)
AT_THE_LIMIT = st.integers(MAX_LENGTH - 1, MAX_LENGTH + 1)
schemathesis.openapi.format(
    "username", USERNAMES | st.builds(str.ljust, USERNAMES, AT_THE_LIMIT, st.just("x"))
)


def load(policy: str) -> Any:
    return schemathesis.openapi.from_wsgi("/openapi.json", app_of(policy))


bounded = settings(
    max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


#: A schema counts a password's characters, while bcrypt's limit is in bytes.
WITH_PASSWORD = ("/users/register", "/users/login", "/cookie/login")


def check_the_article(case: Any) -> None:
    # Without a token the article says 403, where RFC 6750 wants 401.
    excluded = ["missing_required_header"]
    excluded += ["positive_data_acceptance"] if case.path in WITH_PASSWORD else []
    case.call_and_validate(excluded_checks=CHECKS.get_by_names(excluded))


def check_the_rfcs(case: Any) -> None:
    # RFC 6749, section 5.2: a refresh token of the right form that is not valid is a 400.
    accepts = case.path not in ("/refresh", "/cookie/refresh", *WITH_PASSWORD)
    excluded = [] if accepts else ["positive_data_acceptance"]
    case.call_and_validate(excluded_checks=CHECKS.get_by_names(excluded))


def for_each_operation(policy: str, check: Callable[[Any], None]) -> dict[str, Any]:
    """A test for each operation, by its name.

    With pytest 9.2, the tests that schemathesis makes of one function have one id, and of those
    pytest-xdist runs a single one.
    """

    def test_of(operation: Any) -> Any:
        def test(case: Any) -> None:
            check(case)

        only = schema.include(method=operation.method, path=operation.path)
        return only.parametrize()(bounded(test))

    schema = load(policy)
    operations = [found.ok() for found in schema.get_all_operations()]
    return {f"test_nothing_is_found_in_{policy}_{o.label}": test_of(o) for o in operations}


globals().update(
    for_each_operation("article", check_the_article) | for_each_operation("rfc", check_the_rfcs)
)
