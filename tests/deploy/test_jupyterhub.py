"""The hub as `make hub` starts it: three learners at once, each with an own lab."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
import requests

from demo_server import ServerConfig

from ..browser.serving import KERNELS
from .hub import DEPLOY, PATIENCE, ROOT, Hub, Learner, text_of

NAMES = ("ada", "bob", "cleo")
WALKTHROUGH = "01_walkthrough.ipynb"
CLASS_SERVER = "http://class.example:8000"
SAVED = nbformat.read(ROOT / "notebooks" / WALKTHROUGH, 4)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    hub = Hub(tmp_path_factory.mktemp("hub"), SERVER_URL=CLASS_SERVER)
    yield hub
    hub.stop()


def come_to_class(hub: Hub, name: str) -> Learner:
    learner = Learner(hub, name)
    learner.get_token()
    learner.start_server()
    learner.start_kernel()
    return learner


def code_cells(notebook: nbformat.NotebookNode) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def run_walkthrough(learner: Learner) -> list[str]:
    return [learner.run(cell.source) for cell in code_cells(learner.notebook(WALKTHROUGH))]


class Class:
    """The learners, and what the walkthrough showed each of them."""

    def __init__(self, hub: Hub) -> None:
        with ThreadPoolExecutor(len(NAMES)) as pool:
            self.learners = list(pool.map(lambda name: come_to_class(hub, name), NAMES))
            self.shown = list(pool.map(run_walkthrough, self.learners))


@pytest.fixture(scope="module")
def lesson(hub: Hub) -> Iterator[Class]:
    lesson = Class(hub)
    yield lesson
    for learner in lesson.learners:
        assert learner.kernel is not None
        learner.kernel.close()


def test_each_learner_sees_what_the_saved_notebook_shows(lesson: Class) -> None:
    saved = ["".join(text_of(output) for output in cell.outputs) for cell in code_cells(SAVED)]
    assert lesson.shown == [saved, saved, saved]


def test_each_learner_has_an_own_server_on_an_own_port(lesson: Class) -> None:
    urls = [learner.run("print(server.url)").strip() for learner in lesson.learners]
    assert len(set(urls)) == 3
    assert all(url.startswith("http://127.0.0.1:") for url in urls)


def test_the_kernel_is_that_of_make_lab(lesson: Class) -> None:
    program = lesson.learners[0].run("import sys; print(sys.argv[0])").strip()
    assert Path(program) == KERNELS / "kernels/python3/warm_kernel.py"


def test_a_user_of_one_kernel_is_unknown_in_another(lesson: Class) -> None:
    ada, bob, _ = lesson.learners
    ada.run("client.register('hopper', 'a pass phrase of hopper')")
    ada.run("client.login('hopper', 'a pass phrase of hopper')")
    with pytest.raises(AssertionError, match="401 user_unknown"):
        bob.run("client.login('hopper', 'a pass phrase of hopper')")


def test_a_learner_cannot_reach_anothers_server(lesson: Class) -> None:
    for learner in lesson.learners:
        for other in lesson.learners:
            answer = learner.call("GET", f"{other.server}/api/kernels")
            assert answer.status_code == (200 if learner is other else 403)


def test_a_learner_sees_nobody_else_at_the_hub(hub: Hub, lesson: Class) -> None:
    ada, _, _ = lesson.learners
    assert ada.call("GET", f"{hub.url}/hub/api/users/ada").status_code == 200
    assert ada.call("GET", f"{hub.url}/hub/api/users/bob").status_code == 404
    assert ada.call("DELETE", f"{hub.url}/hub/api/users/bob/server").status_code == 404
    assert ada.call("GET", f"{hub.url}/hub/api/users").status_code == 403


def test_the_browser_reaches_the_demo_server_through_jupyter(hub: Hub, lesson: Class) -> None:
    """As a tab does, with the cookies of the login and no token of Jupyter's."""
    ada, bob, _ = lesson.learners
    ada.run("from demo_server import browser_url")
    path = ada.run("print(browser_url(server.url))").strip()
    port = ada.run("print(server.url.rpartition(':')[2])").strip()
    assert path == f"/user/ada/proxy/{port}/"

    answer = ada.browser.get(f"{hub.url}{path}home", timeout=PATIENCE)
    assert (answer.status_code, answer.json()["error"]) == (403, "token_missing")
    assert ada.browser.get(f"{hub.url}{path}", timeout=PATIENCE).json()["error"] == "route_unknown"

    page = ada.browser.get(f"{hub.url}{path}app/", timeout=PATIENCE)
    assert "Login page" in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    # What its scripts send is the hub's to check, too: a fetch, with a bearer that Jupyter
    # does not know.
    fetch = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin", "Authorization": "Bearer a"}
    for method, route, body in [("GET", "home", None), ("POST", "refresh", {"token": "a"})]:
        answer = ada.browser.request(
            method, f"{hub.url}{path}{route}", json=body, headers=fetch, timeout=PATIENCE
        )
        assert (answer.status_code, answer.json()["error"]) == (403, "token_malformed")

    stranger = bob.browser.get(f"{hub.url}{path}home", timeout=PATIENCE)
    assert stranger.status_code == 403
    assert "token_missing" not in stranger.text


def test_memory_is_limited_for_each_process(lesson: Class) -> None:
    ada, bob, _ = lesson.learners
    with pytest.raises(AssertionError, match="MemoryError"):
        ada.run("held = bytearray(3 << 30)")
    assert ada.run("print(client.home())") == bob.run("print(client.home())").replace(
        "grace", "hopper"
    )


def test_a_server_that_starts_again_keeps_the_learners_work(hub: Hub, lesson: Class) -> None:
    *_, cleo = lesson.learners
    folder = hub.folder / "state" / "learners" / "cleo" / "my-course"
    [kernel] = [process for process in hub.processes() if process.cwd() == str(folder)]
    mine = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("Cleo was here.")])
    url = f"{cleo.server}/api/contents/my-course/{WALKTHROUGH}"
    cleo.call("PUT", url, json={"type": "notebook", "content": mine}).raise_for_status()
    cleo.call("DELETE", url.replace(WALKTHROUGH, "05_stampede.ipynb")).raise_for_status()

    cleo.stop_server()
    kernel.wait(timeout=PATIENCE)
    cleo.start_server()

    assert [cell.source for cell in cleo.notebook(WALKTHROUGH).cells] == ["Cleo was here."]
    assert cleo.notebook("05_stampede.ipynb").cells  # deleted, so copied again
    # The notebooks link it at the first use of each term.
    assert (folder / "glossary.md").is_file()
    assert len(lesson.learners[0].notebook(WALKTHROUGH).cells) == len(SAVED.cells)
    assert nbformat.read(ROOT / "notebooks" / WALKTHROUGH, 4) == SAVED


def test_everything_listens_on_loopback_only(hub: Hub, lesson: Class) -> None:
    listening = {
        connection.laddr.ip
        for process in hub.processes()
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_the_addresses_that_the_tests_replace_are_on_loopback_too() -> None:
    config = (DEPLOY / "jupyterhub_config.py").read_text()
    addresses = re.findall(r"(\w+_url) = \"http://([\d.]+):\d+\"", config)
    assert addresses == [
        ("bind_url", "127.0.0.1"),
        ("hub_bind_url", "127.0.0.1"),
        ("api_url", "127.0.0.1"),
    ]


@pytest.mark.parametrize("name", ["../ada", "a/b", "-f", ".ada", "a" * 29, "李小龙", ""])
def test_a_name_that_is_no_folder_is_refused_and_the_form_says_why(hub: Hub, name: str) -> None:
    login = Learner(hub, name).login
    assert login.status_code == 403
    assert "Letters a to z, digits, - and _, at most 28." in login.text


@pytest.mark.parametrize(
    ("typed", "name"),
    [("Ada Lovelace", "ada-lovelace"), ("müller", "muller"), (" j. r. weiß ", "j-r-weiss")],
)
def test_a_name_is_written_as_people_write_it(hub: Hub, typed: str, name: str) -> None:
    learner = Learner(hub, typed)
    assert learner.login.status_code == 302
    learner.name = name
    learner.get_token()
    assert learner.call("GET", f"{hub.url}/hub/api/user").json()["name"] == name


def test_the_teachers_name_in_capitals_is_the_teachers(hub: Hub) -> None:
    assert Learner(hub, "Teacher").login.status_code == 403


def test_the_class_servers_address_reaches_the_learners(lesson: Class) -> None:
    ada, _, _ = lesson.learners
    assert ada.run("import os; print(os.environ['SERVER_URL'])").strip() == CLASS_SERVER


def test_the_hub_says_at_its_start_whether_learners_are_separated(hub: Hub) -> None:
    said = "Each learner has a system account" in hub.log()
    assert said != ("Learners are NOT separated: " in hub.log())
    assert said or os.getuid() != 0 or "other accounts may not" in hub.log()


def test_serve_and_hub_have_different_ports() -> None:
    config = (DEPLOY / "jupyterhub_config.py").read_text()
    ports = set(map(int, re.findall(r"http://127.0.0.1:(\d+)\"", config)))
    assert len(ports) == 3
    assert ServerConfig().port not in ports


def test_a_wrong_password_is_refused(hub: Hub) -> None:
    assert Learner(hub, "dora", password="").login.status_code == 403
    assert Learner(hub, "dora", password=f"{hub.password()}?").login.status_code == 403


def test_the_teacher_has_another_password_and_sees_the_class(hub: Hub, lesson: Class) -> None:
    assert Learner(hub, "teacher").login.status_code == 403
    assert Learner(hub, "ada", hub.password("teacher-password")).login.status_code == 403
    teacher = Learner(hub, "teacher", hub.password("teacher-password"))
    teacher.get_token()
    users = teacher.call("GET", f"{hub.url}/hub/api/users").json()
    assert {*NAMES, "teacher"} <= {user["name"] for user in users}


def test_what_is_kept_is_for_the_owner_and_no_password_is_logged(hub: Hub, lesson: Class) -> None:
    state = hub.folder / "state"
    for path in [state, *state.iterdir(), *(state / "learners").iterdir()]:
        assert path.stat().st_mode & 0o077 == 0, path
    for kept in ("password", "teacher-password"):
        assert hub.password(kept) not in hub.log()


def test_ctrl_c_ends_the_hub_and_all_that_it_started(hub: Hub, lesson: Class) -> None:
    """The last test of this hub."""
    started = hub.processes()
    # The hub, its proxy and its culler; three servers; the kernels of ada and bob, for cleo's
    # ended with her first server.
    assert len(started) == 3 + 3 + 2
    assert hub.stop() == []
    assert "Traceback" not in hub.log()
    with pytest.raises(requests.ConnectionError):
        requests.get(hub.url, timeout=PATIENCE)


def test_an_idle_server_is_ended(tmp_path: Path) -> None:
    hub = Hub(tmp_path, HUB_IDLE="3")
    try:
        ada = Learner(hub, "ada")
        ada.get_token()
        ada.start_server()
        command = "jupyterhub-singleuser"
        [server] = [p for p in hub.processes() if command in " ".join(p.cmdline())]
        server.wait(timeout=PATIENCE)
    finally:
        left = hub.stop(signal.SIGTERM)
    assert left == []


def test_the_proxys_lock_file_names_no_registry() -> None:
    lock = json.loads((DEPLOY / "package-lock.json").read_text())
    assert all("resolved" not in package for package in lock["packages"].values())
    wanted = json.loads((DEPLOY / "package.json").read_text())["dependencies"]
    assert (
        lock["packages"]["node_modules/configurable-http-proxy"]["version"]
        == (wanted["configurable-http-proxy"])
    )
