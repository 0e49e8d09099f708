"""Two pages of one Chromium refresh at once, with lesson 12's Web Lock and without it."""

from __future__ import annotations

import pytest
from jwt_course.lesson_12 import source
from playwright.sync_api import Browser, Route

from client_widget import AuthClient, EventLog
from demo_server import DemoServer, ServerConfig

PASSWORD = "the pass phrase of ada"

PAGE = """<script>
async function send(token) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch("/refresh", {
    method: "POST", headers, body: JSON.stringify({ token }),
  });
  if (!response.ok) throw new Error(response.status);
  return response.json();
}
async function withoutLock(refused, send) { await send(refused); }
SOURCE
</script>"""

# Each page has read the store before either of them refreshes: the other page's word is awaited.
MEET = """async (way) => {
  const refused = localStorage.getItem("refreshToken");
  const channel = new BroadcastChannel("meet");
  await new Promise((resolve) => {
    channel.onmessage = ({ data }) => {
      if (data === "here") channel.postMessage("you too");
      resolve();
    };
    channel.postMessage("here");
  });
  window.outcome = window[way](refused, send).then(() => "went on", () => "ended");
}"""


@pytest.mark.parametrize(
    ("way", "refreshes", "outcomes"),
    [("withoutLock", 2, ["ended", "went on"]), ("refreshUnderLock", 1, ["went on", "went on"])],
)
def test_two_pages_refresh_at_once(
    browser: Browser, way: str, refreshes: int, outcomes: list[str]
) -> None:
    log = EventLog()
    config = ServerConfig(policy="rfc", bcrypt_cost=4)
    with DemoServer(config, emit=log.emitter("server"), name="web locks") as server:
        client = AuthClient(server.url)
        client.register("ada", PASSWORD)
        client.login("ada", PASSWORD)
        pair = client.store.get()
        assert pair is not None
        context = browser.new_context()

        def serve(route: Route) -> None:
            route.fulfill(content_type="text/html", body=PAGE.replace("SOURCE", source()))

        context.route(f"{server.url}/two-tabs", serve)
        first = context.new_page()
        first.goto(f"{server.url}/two-tabs")
        first.evaluate("(token) => localStorage.setItem('refreshToken', token)", pair.refresh)
        # A tab that a link opens shares the process of the first. Between processes, localStorage
        # may be a moment late, even under a lock.
        with first.expect_popup() as opened:
            first.evaluate("() => void open(location.href)")
        opened.value.wait_for_load_state()
        pages = [first, opened.value]
        for page in pages:  # neither evaluation is awaited, so the pages meet
            page.evaluate(f"(way) => {{ ({MEET})(way); }}", way)
        for page in pages:
            page.wait_for_function("() => window.outcome", polling=50)
        assert sorted(page.evaluate("() => window.outcome") for page in pages) == outcomes
        context.close()
    names = [event.name for event in log]
    assert names.count("token.spent") + names.count("reuse.detected") == refreshes
