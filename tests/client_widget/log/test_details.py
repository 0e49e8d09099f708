"""What is behind a row of the log, and the log as a HAR file."""

from __future__ import annotations

import json
import shlex
import subprocess

from client_widget import AuthClient, Event, EventLog
from client_widget.clock import time_of_day
from client_widget.log.details import details, to_curl
from client_widget.log.har import to_har
from client_widget.log.masking import mask_token
from demo_server import DemoClock

from ...conftest import PASSWORD, START


def opened(client: AuthClient, event: Event, reveal: bool = False) -> dict[str, str]:
    return details(event, client.base_url, client.store.find, reveal)


def test_a_message_is_shown_whole_and_its_token_decoded(
    ada: AuthClient, log: EventLog, clock: DemoClock
) -> None:
    pair = ada.store.get()
    assert pair is not None
    clock.advance(61)
    ada.home()
    sent, rejected, answer = log.action()[:3]
    parts = opened(ada, sent)
    token = mask_token(pair.access)
    assert parts["Message"].splitlines()[0] == "GET /home HTTP/1.1"
    assert f"Authorization: Bearer {token}" in parts["Message"].splitlines()
    assert parts["Token"] == "\n".join(
        [
            f"access token {pair.access_facts['token']}",
            '  username: "ada"',
            f"  iat: {START}  ({time_of_day(START)})",
            f"  exp: {START + 60}  ({time_of_day(START + 60)})",
            "at this moment: expired 1 s ago",
        ]
    )
    assert opened(ada, rejected)["Token"].splitlines()[-1] == (
        "refused, because: The access token has expired"
    )
    assert opened(ada, answer)["Message"].splitlines()[0] == "HTTP/1.1 403"
    assert opened(ada, answer)["Message"].endswith('"The access token has expired"}')
    assert list(opened(ada, answer)) == ["Message"]


def test_a_token_of_the_past_can_be_revealed(
    ada: AuthClient, log: EventLog, clock: DemoClock
) -> None:
    old = ada.store.get()
    assert old is not None
    clock.advance(61)
    ada.home()
    sent = log.action()[0]
    assert old.access not in repr(opened(ada, sent))
    assert old.access in opened(ada, sent, reveal=True)["Message"]
    ada.logout()
    assert old.access in opened(ada, sent, reveal=True)["cURL"]


def test_the_command_does_what_the_message_did(ada: AuthClient, log: EventLog) -> None:
    ada.home()
    command = opened(ada, log.action()[0], reveal=True)["cURL"]
    words = shlex.split(command)
    assert words[:4] == ["curl", "-i", "-X", "GET"]
    assert words[4] == f"{ada.base_url}/home"
    ran = subprocess.run([*words, "--silent"], capture_output=True, text=True, timeout=20)
    assert ran.stdout.startswith("HTTP/1.1 200")
    assert ran.stdout.endswith('{"message":"Welcome ada"}\n')


def test_a_command_is_one_command_whatever_is_in_it(client: AuthClient, log: EventLog) -> None:
    client.request("POST", "/nope", json={"a": "'; rm -rf / #"})
    words = shlex.split(to_curl(log.action()[0], "http://x"))
    assert json.loads(words[-1]) == {"a": "'; rm -rf / #"}
    assert words[-2] == "--data"


def test_another_event_is_shown_with_its_fields(log: EventLog, client: AuthClient) -> None:
    event = log.record("clock.advanced", source="panel", seconds=61)
    assert opened(client, event) == {"Event": 'clock.advanced {"seconds": 61}'}


def test_the_har_file_holds_every_answered_message(
    ada: AuthClient, log: EventLog, clock: DemoClock
) -> None:
    clock.advance(61)
    ada.home()
    har = json.loads(to_har(list(log), ada.base_url))["log"]
    assert har["version"] == "1.2"
    told = [
        (entry["request"]["method"], entry["request"]["url"], entry["response"]["status"])
        for entry in har["entries"]
    ]
    url = ada.base_url
    assert told == [
        ("POST", f"{url}/users/register", 201),
        ("POST", f"{url}/users/login", 201),
        ("GET", f"{url}/home", 403),
        ("POST", f"{url}/refresh", 200),
        ("GET", f"{url}/home", 200),
    ]
    first, last = har["entries"][0], har["entries"][-1]
    assert first["request"]["postData"] == {
        "mimeType": "application/json",
        "text": '{"username":"ada","password":"***"}',
    }
    assert last["startedDateTime"] == "2027-01-15T08:01:01+00:00"
    assert last["response"]["content"]["text"] == '{"message":"Welcome ada"}'
    assert PASSWORD not in json.dumps(har)
