"""The files of the front end: what is served, how, and that nothing else is."""

from __future__ import annotations

import http.client
import re
import tomllib
from urllib.parse import urlsplit

import pytest
import requests

from demo_server import DemoClock, DemoServer, ServerConfig, create_app, open_database
from demo_server.emit import ignore
from demo_server.web.front_end import CONTENT_SECURITY_POLICY, FOLDER, source_of

from ...conftest import START

ROOT = FOLDER.parents[2]
TYPES = {
    "article_interceptor.js": "text/javascript; charset=utf-8",
    "common_queue.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "index.html": "text/html; charset=utf-8",
    "main.js": "text/javascript; charset=utf-8",
    "messages.js": "text/javascript; charset=utf-8",
    "no_interceptor.js": "text/javascript; charset=utf-8",
    "requests.js": "text/javascript; charset=utf-8",
    "single_flight.js": "text/javascript; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
    "token_store.js": "text/javascript; charset=utf-8",
    "view.js": "text/javascript; charset=utf-8",
}


def get(url: str, path: str) -> tuple[int, dict[str, str], str]:
    """A response to exactly this path, which no library has tidied up."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    connection.request("GET", path)
    response = connection.getresponse()
    headers = {name.lower(): value for name, value in response.getheaders()}
    body = response.read().decode()
    connection.close()
    return response.status, headers, body


def test_each_file_is_served_as_it_is(url: str) -> None:
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} == {*TYPES, "__init__.py"}
    for name, content_type in TYPES.items():
        path = "" if name == "index.html" else name
        status, headers, body = get(url, f"/app/{path}")
        assert (status, headers["content-type"]) == (200, content_type)
        assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "set-cookie" not in headers
        assert body == source_of(name).replace("{{ policy }}", "article")


def test_only_the_pages_own_origin_may_run_or_be_reached() -> None:
    directives = dict(each.split(" ", 1) for each in CONTENT_SECURITY_POLICY.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["connect-src"] == "'self'"
    assert "unsafe" not in CONTENT_SECURITY_POLICY


def test_the_page_is_told_its_policy() -> None:
    for policy in ("article", "rfc"):
        app = create_app(
            ServerConfig(policy=policy),
            database=open_database(),
            clock=DemoClock(start=START, rate=0),
            emit=ignore,
        )
        assert f'data-policy="{policy}"' in app.test_client().get("/app/").text


def test_without_its_slash_the_address_leads_to_the_page(url: str) -> None:
    status, headers, _ = get(url, "/app")
    # Relative, so that it is right behind a proxy, too.
    assert (status, headers["location"]) == (308, "app/")
    assert "The front end" in requests.get(f"{url}/app", timeout=20).text


@pytest.mark.parametrize(
    "path",
    [
        "/app/__init__.py",
        "/app/nope.js",
        "/app/index.html",
        "/app/../../auth/tokens.py",
        "/app/../routes.py",
        "/app/%2e%2e/routes.py",
        "/app/..%2froutes.py",
        "/app/..%5croutes.py",
        "/app/%2fetc%2fpasswd",
        "/app//etc/passwd",
        "/app/main.js%00",
        "/app/main.js/",
        "/application",
        "/",
    ],
)
def test_no_other_file_can_be_had(url: str, path: str) -> None:
    status, headers, body = get(url, path)
    assert (status, headers["content-type"]) == (404, "application/json")
    assert '"route_unknown"' in body


def test_it_is_only_for_reading(server: DemoServer) -> None:
    for path in ("/app", "/app/", "/app/main.js"):
        answer = requests.post(server.url + path, json={}, timeout=20)
        assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    page = source_of("index.html")
    assert re.findall(r"<script[^>]*>(?!</script>)", page) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=", page) == []
    named = re.findall(r'(?:src|href)="([^"]*)"', page)
    named += [name for file in TYPES for name in re.findall(r'from "\./([^"]*)"', source_of(file))]
    assert set(named) == TYPES.keys() - {"index.html"}
    for file in TYPES.keys() - {"icon.svg"}:  # which names its XML namespace
        assert re.findall(r"(?:https?:)?//[a-z][\w-]*\.\w+", source_of(file)) == []


def test_each_module_says_first_what_it_is() -> None:
    for file in TYPES:
        if file.endswith(".js"):
            assert re.match(r"// [A-Z].{20}", source_of(file)), file


def test_the_wheel_takes_the_whole_package() -> None:
    """`tools/try_wheel.py` asks for the page in an environment that has only the wheel."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert "demo_server" in build["targets"]["wheel"]["packages"]
    assert not {"exclude", "only-include", "include"} & build["targets"]["wheel"].keys()
    assert "exclude" not in build
