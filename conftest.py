"""The proxies of the environment, the kernels of the notebooks, and the two workers of `make test`.

No request to this machine goes through a proxy, whatever the environment says. That is set before
anything starts, so it holds for the tests, the notebooks and the processes that either of them
starts.
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest

from tests import kernels

NAMES = ("no_proxy", "NO_PROXY")  # some clients read one, some the other

_hosts = ",".join(os.environ.get(name, "") for name in NAMES).split(",")
_hosts = [host.strip() for host in [*_hosts, "127.0.0.1", "localhost", "::1"]]
for name in NAMES:
    os.environ[name] = ",".join(dict.fromkeys(filter(None, _hosts)))


def pytest_configure() -> None:
    kernels.use()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the tests and their modules, which stay to the end, from Python's garbage collector.

    Else each full collection goes through them all, which takes a third of a second.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


#: What takes longest, which `pytest -n 2` begins with: a long file at the end leaves a worker idle.
LONG = ("tests/browser/", "tests/deploy/", "notebooks/", "tests/test_notebooks.py")


def _rank(item: pytest.Item) -> int:
    return next((at for at, path in enumerate(LONG) if item.nodeid.startswith(path)), len(LONG))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_rank)
    same = [nodeid for nodeid, count in Counter(item.nodeid for item in items).items() if count > 1]
    if same:
        raise pytest.UsageError(f"Workers would run one test of those with the id {same[0]}")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `pytest -n 2`, keep what shares a costly fixture on one worker.

    The cells of a notebook share a kernel, the tests of a file its fixtures, and the tests of the
    browser one JupyterLab and one browser.
    """
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            browser = LONG[0]
            return browser if nodeid.startswith(browser) else str(super()._split_scope(nodeid))

    config.option.loadscopereorder = False  # else the files with the most tests come first
    return Together(config, log)
