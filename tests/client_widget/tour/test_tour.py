"""The tour's story against a real server: what happened is judged by the events alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from client_widget import (
    ArticleAuth,
    AuthClient,
    Event,
    EventLog,
    Rejected,
    Request,
    ServerUnreachable,
)
from client_widget.tour.tour import STEPS, Score, Tour
from demo_server import DemoClock, DemoServer, ServerConfig

from ...conftest import PASSWORD, REFRESHED, Gate, in_threads, names

#: What happens with the article's lifetimes, 60 s and 300 s.
USUAL = [
    "The server refuses. You have to log in.",
    "An account, but no token.",
    "Two tokens. The client keeps both.",
    "No. It checks the token, and your name is in it.",
    "Three. One is refused, one gets a new token, one gets the page.",
    "No. The same refresh token is used both times.",
    "No. The access token is still valid.",
    "The refresh is refused too. You must log in again.",
    "Two new tokens with their full lifetimes.",
]

ELSE = "Something else."


@pytest.fixture
def server(config: ServerConfig, clock: DemoClock, gate: Gate) -> Iterator[DemoServer]:
    """Without a socket: the story is judged by the events, which are the same."""
    with DemoServer(config, clock=clock, emit=gate, transport="in-process") as server:
        yield server


@pytest.fixture
def tour(client: AuthClient, clock: DemoClock) -> Tour:
    return Tour(client, clock=clock)


def index_of(tour: Tour, text: str) -> int:
    return [answer.text for answer in tour.step.answers].index(text)


def happened(tour: Tour) -> str:
    assert tour.result is not None
    return tour.step.answers[tour.result.happened_index].text


def go_to(tour: Tour, number: int) -> None:
    """Do the steps before `number`, with the first answer each."""
    while tour.number < number:
        tour.guess(0)
        tour.next()


def go_on(tour: Tour) -> list[str]:
    """Do the rest of the story, and give what happened."""
    told = []
    while True:
        events = tour.guess(0).events
        assert true_answers(tour, events) == 1
        told.append(happened(tour))
        if tour.finished:
            return told
        tour.next()


def true_answers(tour: Tour, events: Sequence[Event]) -> int:
    return sum(answer.happened(events) for answer in tour.step.answers)


def test_the_story_with_right_guesses(tour: Tour) -> None:
    told = []
    for text in USUAL:
        result = tour.guess(index_of(tour, text))
        told.append((happened(tour), result.right, true_answers(tour, result.events)))
        assert tour.score == Score(len(told), len(told))
        if not tour.finished:
            tour.next()
    assert told == [(text, True, 1) for text in USUAL]


def test_every_step_has_two_to_four_answers_and_their_texts_differ() -> None:
    for step in STEPS:
        texts = [answer.text for answer in step.answers]
        assert 2 <= len(texts) == len(set(texts)) <= 4


def test_the_reason_is_made_from_the_events(tour: Tour) -> None:
    go_to(tour, 5)
    assert tour.guess(0).why == (
        "The client sent 3 requests, and you had to do nothing. The second is called a "
        "refresh, and the third a retry.\n"
        "Time passes: the clock moved by 61 s. "
        "The client sends GET /home with the access token (expired 1 s ago). "
        "The server says: access token rejected: expired 1 s ago. "
        "The client sends POST /refresh with the refresh token (239 s left). "
        "The server says: refresh token accepted (239 s left); "
        "access token issued, valid for 60 s. "
        "The client says: a new access token is stored (60 s left). "
        "The client sends GET /home again, with the access token (60 s left). "
        "The server says: access token accepted (60 s left)."
    )
    assert names(tour.results[4].events) == [("clock", "clock.advanced"), *REFRESHED]


def test_a_wrong_guess_is_wrong(tour: Tour) -> None:
    first = tour.guess(index_of(tour, "The server sends the page."))
    assert (first.right, happened(tour)) == (False, USUAL[0])
    tour.next()
    tour.guess(index_of(tour, USUAL[1]))
    assert [result.right for result in tour.results] == [False, True]
    assert tour.score == Score(1, 2)


@pytest.mark.parametrize(
    ("config", "differs"),
    [
        (
            ServerConfig(bcrypt_cost=4, access_token_ttl=600, refresh_token_ttl=10_000),
            {
                5: "One. The page comes.",
                6: "You cannot tell: there is no refresh.",
                8: "The page comes at once.",
            },
        ),
        (
            ServerConfig(bcrypt_cost=4, access_token_ttl=600),
            {
                5: "One. The page comes.",
                6: "You cannot tell: there is no refresh.",
                8: "The page comes at once.",
            },
        ),
        (
            ServerConfig(bcrypt_cost=4, refresh_token_ttl=10_000),
            {8: "A refresh, then the page."},
        ),
        (
            ServerConfig(bcrypt_cost=4, refresh_token_ttl=30),
            {5: ELSE, 6: ELSE, 7: ELSE, 8: ELSE},
        ),
        (
            ServerConfig(bcrypt_cost=4, refresh_token_ttl=150),
            {6: ELSE, 7: ELSE, 8: ELSE},  # over at the second visit of step 6
        ),
        (
            ServerConfig(bcrypt_cost=4, access_token_ttl=10),
            {7: "Yes. Then the page comes."},
        ),
    ],
    ids=[
        "both long",
        "long access",
        "long refresh",
        "short refresh",
        "over in step 6",
        "short access",
    ],
)
def test_another_server_has_other_right_answers(tour: Tour, differs: dict[int, str]) -> None:
    expected = [differs.get(number, text) for number, text in enumerate(USUAL, 1)]
    assert go_on(tour) == expected


@pytest.mark.parametrize("config", [ServerConfig(bcrypt_cost=4, access_token_ttl=600)])
def test_no_refresh_is_reported_as_no_refresh(tour: Tour) -> None:
    go_to(tour, 5)
    assert tour.guess(index_of(tour, USUAL[4])).why == (
        "There was no refresh: the access token was still valid, so one request was enough.\n"
        "Time passes: the clock moved by 61 s. "
        "The client sends GET /home with the access token (539 s left). "
        "The server says: access token accepted (539 s left)."
    )
    assert not tour.results[4].right


def test_the_articles_interceptor_fails_every_second_expiry(
    server: DemoServer, log: EventLog, clock: DemoClock
) -> None:
    """Of the two visits of step 6 only one brings a refresh."""
    client = AuthClient(server.url, log=log, clock=clock, auth=ArticleAuth)
    told = go_on(Tour(client, clock=clock))
    assert told[:5] == USUAL[:5]
    assert told[5] == ELSE


def test_without_the_servers_events_what_cannot_be_seen_is_not_claimed(
    config: ServerConfig, clock: DemoClock
) -> None:
    with DemoServer(config, clock=clock) as server:
        tour = Tour(AuthClient(server.url, log=EventLog(clock=clock), clock=clock))
        assert go_on(tour) == [*USUAL[:3], ELSE, *USUAL[4:]]
    assert "The answer is 403 Forbidden for GET /home" in tour.results[4].why


def test_a_server_that_is_gone_loses_nothing(
    tour: Tour, server: DemoServer, clock: DemoClock
) -> None:
    go_to(tour, 5)
    server.stop()
    before = clock()
    for _ in range(2):
        with pytest.raises(ServerUnreachable, match="Is the server running"):
            tour.guess(2)
        assert (tour.number, tour.result, tour.score.guesses) == (5, None, 4)
    assert clock() == before + 61  # moved once
    server.start()
    assert tour.guess(2).right
    assert clock() == before + 61
    tour.next()
    assert go_on(tour) == USUAL[5:]


def test_a_half_done_step_goes_on_where_it_was(
    tour: Tour, server: DemoServer, clock: DemoClock
) -> None:
    """Step 6 visits twice; when the second fails, the first is neither lost nor repeated."""
    go_to(tour, 6)
    before = clock()

    real = clock.advance

    def advance(seconds: float) -> None:
        real(seconds)
        if clock() == before + 122:
            server.stop()

    clock.advance = advance  # type: ignore[method-assign]
    with pytest.raises(ServerUnreachable):
        tour.guess(0)
    server.start()
    assert tour.guess(0).right
    assert clock() == before + 122
    assert [e.name for e in tour.results[5].events].count("token.refreshed") == 2


def test_what_others_do_meanwhile_is_not_in_the_trace(
    tour: Tour, client: AuthClient, server: DemoServer, log: EventLog, gate: Gate
) -> None:
    go_to(tour, 4)
    other = AuthClient(server.url, log=log, clock=client.clock, name="other")
    busy = threading.Event()

    def hold(name: str, fields: object) -> None:
        if name == "token.accepted" and not busy.is_set():
            busy.set()
            thread = threading.Thread(target=other.request, args=("GET", "/home"))
            thread.start()
            thread.join(20)

    gate.hold = hold  # type: ignore[assignment]
    result = tour.guess(1)
    assert busy.is_set()
    assert any(event.source == "other" for event in log)
    assert names(result.events) == [
        ("client", "request.sent"),
        ("server", "token.accepted"),
        ("client", "response.received"),
    ]


def test_a_user_who_is_logged_in_is_logged_out_first(ada: AuthClient, clock: DemoClock) -> None:
    tour = Tour(ada, clock=clock)
    assert tour.guess(1).right
    assert names(tour.results[0].events)[0] == ("client", "session.ended")


def test_a_name_that_is_taken_gets_a_number(tour: Tour, client: AuthClient, log: EventLog) -> None:
    client.register("learner", "of somebody else")
    client.register("learner2", "of somebody else")
    go_to(tour, 2)
    assert tour.guess(0).right
    made = [e.fields["username"] for e in log if e.name == "user.registered"]
    assert made == ["learner", "learner2", "learner3"]
    with pytest.raises(Rejected):
        client.register("learner3", "x")


def test_back_to_the_start_is_a_whole_new_story(tour: Tour, log: EventLog) -> None:
    go_to(tour, 5)
    tour.guess(0)
    tour.restart()
    assert (tour.number, tour.result, tour.score) == (1, None, Score(0, 0))
    assert go_on(tour) == USUAL
    tour.restart()
    assert go_on(tour) == USUAL
    made = [e.fields["username"] for e in log if e.name == "user.registered"]
    assert made == ["learner", "learner2", "learner3"]
    assert not [e for e in log if e.name == "registration.refused"]


def test_the_clock_stands_still_from_the_first_guess_to_the_end(
    tour: Tour, clock: DemoClock
) -> None:
    clock.rate = 30
    assert clock.rate == 30  # not before the first guess
    tour.guess(0)
    assert clock.rate == 0
    tour.restart()
    assert clock.rate == 30
    go_on(tour)
    assert clock.rate == 30
    tour.restart()
    tour.guess(0)
    tour.close()
    assert clock.rate == 30


def test_steps_are_done_in_their_order_and_once(tour: Tour) -> None:
    with pytest.raises(RuntimeError, match="Choose an answer first"):
        tour.next()
    for index in (-1, 4):
        with pytest.raises(IndexError, match="no answer"):
            tour.guess(index)
    tour.guess(0)
    with pytest.raises(RuntimeError, match="is done"):
        tour.guess(0)
    tour.next()
    go_on(tour)
    with pytest.raises(RuntimeError, match="last step"):
        tour.next()


def test_any_cut_of_a_trace_has_exactly_one_true_answer(tour: Tour) -> None:
    """No event that is missing makes a step undecided."""
    go_on(tour)
    for step in STEPS:
        for result in tour.results:
            for start in range(len(result.events)):
                for end in range(start, len(result.events) + 1):
                    events = result.events[start:end]
                    truths = [answer.happened(events) for answer in step.answers]
                    assert truths.count(True) == 1


@pytest.mark.parametrize("number", range(2, 10))
@pytest.mark.parametrize("as_another", [False, True])
def test_who_logs_out_or_in_between_two_steps_does_not_derail_the_story(
    tour: Tour, client: AuthClient, number: int, as_another: bool
) -> None:
    client.register("ada", PASSWORD)
    go_to(tour, number)
    client.logout()
    if as_another:
        client.login("ada", PASSWORD)
    assert go_on(tour) == USUAL[number - 1 :]
    # Between the login of step 3 and the end of the session in step 8, there is one to restore.
    again = [result.logged_in_again for result in tour.results]
    assert again == [n == number and 4 <= n <= 8 for n in range(1, 10)]


@pytest.mark.parametrize("number", range(3, 10))
@pytest.mark.parametrize("purpose", ["call", "refresh", "retry"])
def test_who_logs_out_during_a_step_does_not_derail_the_story(
    tour: Tour, client: AuthClient, number: int, purpose: str
) -> None:
    """The logout comes from another thread, while the first message of its kind waits."""
    go_to(tour, number)

    def log_out_first(message: Request) -> Request:
        if message.purpose == purpose:
            client.before_send = lambda message: message
            in_threads(1, client.logout)
        return message

    client.before_send = log_out_first
    assert go_on(tour) == USUAL[number - 1 :]


def test_who_always_logs_out_is_shown_what_happened(tour: Tour, client: AuthClient) -> None:
    go_to(tour, 4)

    def log_out_first(message: Request) -> Request:
        if message.path == "/home":
            in_threads(1, client.logout)
        return message

    client.before_send = log_out_first
    assert tour.guess(0).logged_in_again
    assert tour.results[-1].events != ()
