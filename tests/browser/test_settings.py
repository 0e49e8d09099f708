"""JupyterLab has the settings that an install of the lab brings along, also an editable one."""

from __future__ import annotations

import json
import urllib.request

from .lab import TOKEN, Lab


def test_jupyterlab_does_not_begin_with_a_question_about_news(lab: Lab) -> None:
    request = urllib.request.Request(
        f"{lab.url}/lab/api/settings/@jupyterlab/apputils-extension:notification",
        headers={"Authorization": f"token {TOKEN}"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        settings = json.load(answer)
    assert settings["schema"]["properties"]["fetchNews"]["default"] == "false"
