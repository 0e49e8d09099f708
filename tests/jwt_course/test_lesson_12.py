"""Lesson 12: two tabs, two processes, a crash, and what the judges say of answers."""

from __future__ import annotations

import pytest
from jwt_course.lesson_12 import crash_before_the_write, exercises, handed_in, two_processes, ways
from jwt_course.lesson_12.judges import CASES, TRACES, lost_in, server_goes_on
from jwt_course.lesson_12.results import compare, table, tabs_picture
from jwt_course.lesson_12.tabs import try_tabs

from client_widget import EventLog

from .learner import cell, verdict


class TestTabs:
    def test_only_a_lock_with_a_second_look_or_a_grace_keeps_the_session(self) -> None:
        trials = compare()
        assert [(t.way, t.grace, t.refreshes, t.reuse, t.pages, t.alive) for t in trials] == [
            ("each for itself", 0, 2, 1, (True, False), False),
            ("re read", 0, 2, 1, (True, False), False),
            ("lock only", 0, 2, 1, (True, False), False),
            ("lock and adopt", 0, 1, 0, (True, True), True),
            ("each for itself", 30, 2, 0, (True, True), True),
        ]
        picture = tabs_picture(trials)
        assert picture.svg.count("has ended: reuse") == 3
        assert "adopts: its page" in picture.svg
        assert table(trials) in str(picture.words)

    @pytest.mark.parametrize(
        ("grace", "later", "alive"), [(0, 0, False), (5, 4, True), (5, 5, False), (30, 2, True)]
    )
    def test_a_lost_response_is_saved_by_the_grace_alone(
        self, grace: int, later: int, alive: bool
    ) -> None:
        trial = try_tabs(ways.lock_and_adopt, lost=True, grace=grace, later=later)
        assert (trial.alive, trial.pages) == (alive, (False, alive))

    def test_each_expiry_takes_one_refresh(self) -> None:
        trial = try_tabs(ways.lock_and_adopt, rounds=3)
        assert (trial.refreshes, trial.pages, trial.alive) == (3, (True, True), True)


class TestProcesses:
    @pytest.mark.parametrize(("how", "refreshes"), [("own memory", 2), ("one file", 1)])
    def test_a_shared_file_makes_one_refresh_of_two(self, how: str, refreshes: int) -> None:
        trial = two_processes(how)
        assert trial.refreshes == refreshes
        assert trial.alive is all(trial.pages) is (refreshes == 1)

    @pytest.mark.parametrize("grace", [0, 30])
    def test_after_a_crash_only_a_grace_helps(self, grace: int) -> None:
        trial = crash_before_the_write(grace)
        assert (trial.refreshes, trial.pages, trial.alive) == (2, (False, grace > 0), grace > 0)


def test_a_grace_covers_the_last_token_for_less_than_its_seconds() -> None:
    assert [server_goes_on(*case) for case in CASES] == [
        *(False, False, True, True, False, True, False, False, False)
    ]


def test_the_traces_have_their_lost_update() -> None:
    found = [lost_in(EventLog.from_jsonl(handed_in(**made))) for made in TRACES]
    assert [each is not None for each in found] == [True, True, True, True, False, False]
    assert len(set(found)) == 5


RIGHT_REFRESHES = {
    "with the lock": """
        def refresh_under_lock(tab):
            with tab.lock:
                if tab.store.get() is tab.pair:
                    tab.store.set(tab.send(tab.pair))
                return tab.store.get()
    """,
    "acquire and release": """
        def refresh_under_lock(tab):
            tab.lock.acquire()
            try:
                held = tab.store.get()
                if held.refresh == tab.pair.refresh:
                    held = tab.send(held)
                    tab.store.set(held)
                return held
            finally:
                tab.lock.release()
    """,
    "with a look before the lock too": """
        def refresh_under_lock(tab):
            if tab.store.get() is not tab.pair:
                return tab.store.get()
            with tab.lock:
                held = tab.store.get()
                if held is not tab.pair:
                    return held
                fresh = tab.send(tab.pair)
                tab.store.set(fresh)
                return fresh
    """,
}

WRONG_REFRESHES = {
    "no lock": (
        "def refresh_under_lock(tab):\n fresh = tab.send(tab.pair)\n tab.store.set(fresh)\n"
        " return fresh",
        "spent token",
    ),
    "a lock alone": (
        "def refresh_under_lock(tab):\n with tab.lock:\n  fresh = tab.send(tab.pair)\n"
        "  tab.store.set(fresh)\n  return fresh",
        "spent token",
    ),
    "written after the lock": (
        "def refresh_under_lock(tab):\n with tab.lock:\n  held = tab.store.get()\n"
        "  if held is not tab.pair:\n   return held\n  fresh = tab.send(held)\n  return fresh",
        "spent token",
    ),
    "returns what was refused": (
        "def refresh_under_lock(tab):\n with tab.lock:\n  if tab.store.get() is tab.pair:\n"
        "   tab.store.set(tab.send(tab.pair))\n return tab.pair",
        "did not get its page",
    ),
    "twice": (
        "def refresh_under_lock(tab):\n with tab.lock:\n  if tab.store.get() is tab.pair:\n"
        "   tab.store.set(tab.send(tab.send(tab.pair)))\n  return tab.store.get()",
        "2 refreshes were sent",
    ),
    "a lock that stays after an error": (
        "def refresh_under_lock(tab):\n tab.lock.acquire()\n held = tab.store.get()\n"
        " if held is tab.pair:\n  held = tab.send(held)\n  tab.store.set(held)\n"
        " tab.lock.release()\n return held",
        "released after an error",
    ),
}

REFRESH_CHEATS = {
    "the course's own": (
        "from jwt_course.lesson_12.ways import lock_and_adopt as refresh_under_lock",
        "does the work of this exercise|part of the course",
    ),
    "calls the course's own": (
        "from jwt_course.lesson_12.ways import re_read\n"
        "def refresh_under_lock(tab):\n with tab.lock:\n  return re_read(tab)",
        "does the work of this exercise",
    ),
}

RIGHT_RULES = [
    "def goes_on(grace, gap, successor_used):\n return gap < grace and not successor_used",
    "def goes_on(grace, gap, successor_used):\n if successor_used: return False\n"
    " return grace > gap",
    "goes_on = lambda grace, gap, successor_used: not (successor_used or gap >= grace)",
]
WRONG_RULES = [
    "def goes_on(grace, gap, successor_used): return gap < grace",
    "def goes_on(grace, gap, successor_used): return gap <= grace and not successor_used",
    "def goes_on(grace, gap, successor_used): return True",
    "def goes_on(grace, gap, successor_used): return not successor_used",
    "def goes_on(grace, gap, successor_used): return 'yes'",
]
RULE_CHEATS = [
    "from jwt_course.lesson_12.judges import server_goes_on as goes_on",
    "from jwt_course.lesson_12 import judges\ndef goes_on(grace, gap, successor_used):\n"
    " return judges.server_goes_on(grace, gap, successor_used)",
]

_LOOP = "def lost_update(trace):\n seen = []\n for e in trace:\n  if e.name == 'store.written':\n"
RIGHT_TRACES = [
    _LOOP + "   t = e.fields['token']\n   if t in seen and t != seen[-1]: return e.seq\n"
    "   seen.append(t)",
    "def lost_update(trace):\n w = [e for e in trace if e.name == 'store.written']\n"
    " for n, e in enumerate(w):\n  old = [x.fields['token'] for x in w[:n]]\n"
    "  if e.fields['token'] in old and old[-1] != e.fields['token']: return e.seq\n"
    " return None",
    "def lost_update(trace):\n last = {}\n newest = None\n for e in trace:\n"
    "  if e.name != 'store.written': continue\n  t = e.fields['token']\n"
    "  if t != newest and t in last: return e.seq\n  last[t] = e.seq\n  newest = t",
]
WRONG_TRACES = [
    "def lost_update(trace):\n return next((e.seq for e in trace if e.name == 'store.written'\n"
    "  and e.source == 'tab 2'), None)",
    _LOOP + "   t = e.fields['token']\n   if t in seen: return e.seq\n   seen.append(t)",
    "def lost_update(trace): return None",
    "def lost_update(trace): return 24",
    "def lost_update(trace): return [e.seq for e in trace if e.name == 'store.written'][-1]",
    "def lost_update(trace): return next((e.seq for e in trace if e.name == 'reuse.detected'), 0)",
]
TRACE_CHEATS = [
    "from jwt_course.lesson_12.judges import lost_in as lost_update",
    "class Any(int):\n __eq__ = lambda self, other: True\n __ne__ = lambda self, other: False\n"
    "def lost_update(trace):\n return Any(0)",
]


def of_both(rules: list[str], traces: list[str]) -> list[tuple[str, str]]:
    """The answers to the second and the third exercise."""
    return [*(("q2", answer) for answer in rules), *(("q3", answer) for answer in traces)]


class TestExercises:
    @pytest.mark.parametrize("answer", RIGHT_REFRESHES.values(), ids=RIGHT_REFRESHES)
    def test_a_right_refresh(self, answer: str) -> None:
        assert verdict(exercises(cell(answer))[0]) == (True, "")

    @pytest.mark.parametrize(("answer", "why"), REFRESH_CHEATS.values(), ids=list(REFRESH_CHEATS))
    def test_a_borrowed_refresh(self, answer: str, why: str) -> None:
        right, said = verdict(exercises(cell(answer))[0])
        assert not right
        assert any(each in said for each in why.split("|")), said

    @pytest.mark.parametrize(("answer", "why"), WRONG_REFRESHES.values(), ids=list(WRONG_REFRESHES))
    def test_a_wrong_refresh(self, answer: str, why: str) -> None:
        right, said = verdict(exercises(cell(answer))[0])
        assert not right
        assert any(each in said for each in why.split("|")), said

    @pytest.mark.parametrize(("exercise", "answer"), of_both(RIGHT_RULES, RIGHT_TRACES))
    def test_a_right_answer(self, exercise: str, answer: str) -> None:
        assert verdict(exercises(cell(answer))[int(exercise[1]) - 1]) == (True, "")

    @pytest.mark.parametrize(("exercise", "answer"), of_both(WRONG_RULES, WRONG_TRACES))
    def test_a_wrong_answer(self, exercise: str, answer: str) -> None:
        assert not verdict(exercises(cell(answer))[int(exercise[1]) - 1])[0]

    @pytest.mark.parametrize(("exercise", "answer"), of_both(RULE_CHEATS, TRACE_CHEATS))
    def test_a_trick_is_seen(self, exercise: str, answer: str) -> None:
        assert not verdict(exercises(cell(answer))[int(exercise[1]) - 1])[0]
