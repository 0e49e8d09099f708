"""Signed ids: device tokens, and what CSRF tokens are made of."""

from __future__ import annotations

import pytest

from demo_server.auth.signed_ids import SignedIds


def test_an_id_is_known_after_a_restart_with_the_same_secret() -> None:
    signed = SignedIds("the secret", "device token").issue("ada")
    restarted = SignedIds("the secret", "device token")
    id = restarted.read("ada", signed)
    assert len(id) == 32
    assert restarted.issue("ada", id) == signed


def test_each_id_is_new() -> None:
    ids = SignedIds("the secret", "device token")
    assert len({ids.issue("ada") for _ in range(20)}) == 20


def test_an_id_is_for_one_secret_one_purpose_and_one_owner() -> None:
    signed = SignedIds("the secret", "device token").issue("ada")
    assert SignedIds("another", "device token").read("ada", signed) == ""
    assert SignedIds("the secret", "csrf token").read("ada", signed) == ""
    assert SignedIds("the secret", "device token").read("bob", signed) == ""


@pytest.mark.parametrize(
    "forged",
    ["", ".", "0" * 32, f"{'0' * 32}.{'0' * 64}", f"{'ü' * 32}.{'0' * 64}", "\ud800"],
)
def test_what_this_server_did_not_issue_is_no_id(forged: str) -> None:
    assert SignedIds("the secret", "device token").read("ada", forged) == ""


def test_an_id_with_more_around_it_is_none() -> None:
    ids = SignedIds("the secret", "device token")
    signed = ids.issue("ada")
    for changed in (f"{signed}\n", f" {signed}", signed.upper(), signed[1:]):
        assert ids.read("ada", changed) == ""
