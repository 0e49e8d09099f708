"""The check of the built site finds what it must find. `make site` runs it on the real one."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tools import check_site

ROOT = Path(__file__).parent.parent


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Two pages, a style sheet, a picture, and the lab with one notebook."""
    files = {
        "index.html": '<a href="a/b.html#here">b</a><link rel="stylesheet" href="s.css">'
        '<a href="https://example.org/x">x</a><meta http-equiv="refresh" content="0; url=a/b.html">'
        '<a href="lite/lab/index.html?path=01.ipynb">lab</a><img src="i.png">',
        "a/b.html": '<h1 id="here">b</h1><a href="../index.html">i</a><a href="#here">h</a>',
        "s.css": "body { background: url(i.png); mask: url('data:image/svg+xml,<a/>') }",
        "i.png": "",
        "lite/lab/index.html": '<script src="https://cdn.example/x.js"></script>',
        "lite/files/01.ipynb": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_sound_site_has_no_faults(site: Path) -> None:
    assert list(check_site.faults(site)) == []


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<a href="no.html">', "links to no.html, which is not there"),
        ('<a href="b.html#no">', "links to b.html#no, which is not there"),
        ('<a href="#no">', "links to #no, which is not there"),
        ('<a href="../../">', "links to ../../, which is not there"),
        (
            '<a href="../lite/lab/index.html?path=2.ipynb">',
            "links to ../lite/lab/index.html?path=2.ipynb, which is not there",
        ),
        ('<meta property="og:image" content="no.png">', "links to no.png, which is not there"),
        ('<img src="no.png">', "loads no.png, which is not there"),
        ('<img src="../i.png" srcset="//h.org/i.png 2x">', "loads //h.org/i.png"),
        ('<script src="https://h.org/x.js"></script>', "loads https://h.org/x.js"),
        ('<link rel="preload stylesheet" href="//h.org/x.css">', "loads //h.org/x.css"),
        ('<svg><image href="https://h.org/i.png"/></svg>', "loads https://h.org/i.png"),
        ('<p style="background: url(https://h.org/i.png)">', "loads https://h.org/i.png"),
        ("<style>@import 'https://h.org/x.css';</style>", "loads https://h.org/x.css"),
        (
            '<script type="module">import m from "https://h.org/m.mjs"</script>',
            "loads https://h.org/m.mjs",
        ),
    ],
)
def test_a_link_to_nowhere_and_a_thing_from_another_host_are_found(
    site: Path, html: str, fault: str
) -> None:
    (site / "a" / "c.html").write_text(html)
    assert list(check_site.faults(site)) == [f"a/c.html {fault}"]


def test_a_picture_that_cannot_follow_the_theme_is_found(site: Path) -> None:
    (site / "p.svg").write_text("<svg/>")
    (site / "a" / "c.html").write_text('<img src="../p.svg">')
    assert list(check_site.faults(site)) == ["a/c.html shows ../p.svg as an image"]


def test_a_font_of_another_host_is_found(site: Path) -> None:
    (site / "s.css").write_text("@font-face { src: url(https://h.org/f.woff2) }")
    assert list(check_site.faults(site)) == ["s.css loads https://h.org/f.woff2"]


def test_the_workflow_publishes_the_site_that_was_checked() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/pages.yml").read_text())["jobs"]
    steps = jobs["build"]["steps"]
    assert "make site firefox" in [step.get("run") for step in steps]
    assert "make lite-lessons" in [step.get("run") for step in jobs["lessons"]["steps"]]
    assert jobs["publish"]["needs"] == ["build", "lessons"]
    assert steps[-1]["with"] == {"path": "dist/site"}
    assert "tools/check_site.py dist/site" in (ROOT / "Makefile").read_text()
