"""The teacher's slides and handout: complete, without a request, and each on its page."""

from __future__ import annotations

import re
from base64 import b64decode
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tools import slides

from ..browser.chromium import find_browser


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slides")
    slides.build(folder)
    return folder


def pages(pdf: Path) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes()))


def test_each_slide_is_a_page_of_the_pdf_and_the_handout_is_one(built: Path) -> None:
    source = (slides.SOURCES / "slides.md").read_text()
    assert pages(built / "slides.pdf") == len(re.findall(r"^---$", source, re.M)) + 1
    assert pages(built / "handout.pdf") == 1


def test_they_ask_for_nothing_show_every_picture_and_cut_nothing_off(built: Path) -> None:
    asked, said = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.on("request", lambda request: asked.append(request.url.partition(":")[0]))
        page.on("console", lambda message: said.append(message.text))
        for name in slides.NAMES:
            page.goto((built / f"{name}.html").as_uri())
            shown = page.eval_on_selector_all("img", "all => all.map(i => i.naturalWidth > 0)")
            assert shown == [True] * len(shown) != []
        page.goto((built / "slides.html").as_uri())
        cut = """all => all.filter(s => s.scrollHeight > s.clientHeight
            || s.scrollWidth > s.clientWidth).map(s => s.innerText)"""
        assert page.eval_on_selector_all("section", cut) == []
        page.keyboard.press("ArrowRight")
        page.wait_for_function("Math.round(scrollY / innerHeight) == 1")
        browser.close()
    assert set(asked) <= {"file", "data"}
    assert said == []


def test_no_picture_follows_a_dark_screen() -> None:
    pictures = re.findall(r"data:image/svg\+xml;base64,([^\"]+)", slides.html("slides"))
    assert len(pictures) > 3
    assert [p for p in pictures if b"prefers-color-scheme:dark" in b64decode(p)] == []


def test_a_picture_that_no_notebook_shows_is_said() -> None:
    with pytest.raises(KeyError, match=r"01_walkthrough\.ipynb: no picture in cell-01"):
        slides.rendered("![a](../../notebooks/01_walkthrough.ipynb#cell-01)")
