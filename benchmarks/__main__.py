"""`make bench`: what the lab costs, as ratios measured in one run.

Absolute figures differ from machine to machine and from minute to minute; so each figure
stands beside what it is compared with, and the two take turns in short slices.
"""

from __future__ import annotations

import json
import secrets
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests

from client_widget import AuthClient, EventLog, TokenPair, TokenStore
from tests.browser.chromium import find_browser

from . import browser

HERE = Path(__file__).parent


def main() -> None:
    secret = secrets.token_hex(32)
    rows: list[tuple[str, str, str, str]] = []
    with ExitStack() as stack:
        servers = stack.enter_context(process(sys.executable, str(HERE / "servers.py"), secret))
        urls = {"ours": servers["ours"], "bare": servers["bare"]}
        if express_is_installed():
            peer = process("node", str(HERE / "peers" / "express.js"), secret)
            urls |= stack.enter_context(peer)
        rates = load(urls, servers["token"])
        print("GET /home with a valid token, 8 kept connections, answers per second:")
        for name, series in rates.items():
            print(f"  {name:8} median {statistics.median(series):6.0f}")
        rows.append(
            at_most(
                "time of /home: ours / bare Flask route with jwt.decode",
                ratio(rates["bare"], rates["ours"]),
                1.15,
            )
        )
        if "express" in rates:
            rows.append(
                at_least(
                    "answers of /home: ours / the article's on Express",
                    ratio(rates["ours"], rates["express"]),
                    1.3,
                )
            )
        else:
            print("  Express is left out: it needs node and npm")
        rows.append(
            at_most(
                "time of a request: AuthClient with its log / requests.Session",
                client_overhead(servers["ours"], servers["token"]),
                1.06,
            )
        )
    rows.append(at_least("events recorded a second, one subscriber", events_a_second(1), 250_000))
    rows.append(at_least("events recorded a second, 8 threads", events_a_second(8), 100_000))
    try:
        browser_path = find_browser()
    except LookupError as error:
        print(f"  The panel is left out. {error}")
    else:
        measured = browser.figures(browser_path)
        rows += [at_most(what, measured[what], budget) for what, budget in browser.BUDGETS.items()]
    print()
    for what, figure, budget, verdict in rows:
        print(f"{what:64} {figure:>10}  {budget:>14}  {verdict}")


def at_most(what: str, figure: float, budget: float) -> tuple[str, str, str, str]:
    return what, f"{figure:.3f}", f"at most {budget}", "ok" if figure <= budget else "OVER"


def at_least(what: str, figure: float, budget: float) -> tuple[str, str, str, str]:
    shown = f"{figure:.2f}" if budget < 100 else f"{figure:,.0f}"
    return what, shown, f"at least {budget:,}", "ok" if figure >= budget else "UNDER"


def ratio(first: list[float], second: list[float]) -> float:
    """The median of the ratios, round by round."""
    return statistics.median(a / b for a, b in zip(first, second, strict=True))


@contextmanager
def process(*command: str) -> Iterator[dict[str, str]]:
    """Run a server; gives what it prints first, a JSON object. It ends with its stdin."""
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stdin is not None
    try:
        yield json.loads(running.stdout.readline())
    finally:
        running.stdin.close()
        running.wait(timeout=20)
        running.stdout.close()


def express_is_installed() -> bool:
    """Install the peer from npm, where there is npm."""
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    peers = HERE / "peers"
    if not (peers / "node_modules").is_dir():
        command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
        return subprocess.run(command, cwd=peers, check=False).returncode == 0
    return True


def load(urls: dict[str, str], token: str) -> dict[str, list[float]]:
    """Answers per second of each server in each round."""
    targets = [f"{url}/home" for url in urls.values()]
    headers = ["--header", f"Authorization: Bearer {token}", "--header", "X-Request-ID: bench"]
    command = [sys.executable, str(HERE / "load.py"), *targets, *headers, "--rounds", "25"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(zip(urls, json.loads(printed), strict=True))


def client_overhead(url: str, token: str) -> float:
    """Time of `AuthClient.request` over that of `Session.get` with the same settings."""
    store = TokenStore()
    store.set(TokenPair(token, token))
    client = AuthClient(url, store=store, log=EventLog())
    session = requests.Session()
    session.trust_env = False
    headers = {"Authorization": f"Bearer {token}", "X-Request-ID": "bench"}

    def ours() -> int:
        return client.request("GET", "/home").status_code

    def bare() -> int:
        return session.get(f"{url}/home", headers=headers, timeout=15).status_code

    def slice_of(call: Callable[[], int]) -> float:
        start = time.perf_counter()
        for _ in range(50):
            assert call() == 200
        return time.perf_counter() - start

    slice_of(ours)
    slice_of(bare)
    return statistics.median(slice_of(ours) / slice_of(bare) for _ in range(40))


def events_a_second(threads: int) -> float:
    """How many events all threads together record in a second, with one subscriber."""

    def once() -> float:
        log = EventLog()
        log.subscribe(lambda _: None)
        each = 80_000 // threads

        def work() -> None:
            for _ in range(each):
                log.record("request.sent", source="bench", correlation="b", method="GET", path="/")

        workers = [threading.Thread(target=work) for _ in range(threads)]
        start = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return each * threads / (time.perf_counter() - start)

    figures: list[Any] = [once() for _ in range(5)]
    return statistics.median(figures)


if __name__ == "__main__":
    main()
