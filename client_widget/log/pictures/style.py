"""The style sheet that every picture has.

It imports no SVG library, so a widget can have it before its first picture.
"""

from __future__ import annotations

from .palette import DARK, HIGH_CONTRAST, LIGHT, PAPER

#: In the dark of the reader's system. A page may be light all the same.
SYSTEM = f"@media(prefers-color-scheme:dark){{.lab-picture{{{DARK}}}}}"

# The more often a class is repeated, the stronger the rule: paper wins over any theme.
STYLE = (
    f".lab-picture{{{LIGHT};max-width:100%;height:auto;background:var(--lab-back)}}"
    f"{SYSTEM}"
    ':is([data-jp-theme-light="true"],.vscode-light,[data-theme="light"],[theme="light"]) '
    f".lab-picture{{{LIGHT}}}"
    ':is([data-jp-theme-light="false"],.vscode-dark,[data-theme="dark"],[theme="dark"]) '
    f".lab-picture{{{DARK}}}"
    f"@media print{{.lab-picture.lab-picture.lab-picture{{{PAPER}}}}}"
    "@media(prefers-contrast:more){.lab-picture.lab-picture.lab-picture"
    "{--lab-faint:var(--lab-text);--lab-line:var(--lab-text)}}"
    "@media(forced-colors:active){.lab-picture.lab-picture.lab-picture"
    f"{{{HIGH_CONTRAST};forced-color-adjust:none}}}}"
    ".lab-picture text{font:12px system-ui,sans-serif;fill:var(--c,var(--lab-text))}"
    ".lab-picture .strong{font-weight:600}"
    ".lab-picture .mono{font:12px ui-monospace,'DejaVu Sans Mono',monospace}"
    ".lab-picture .on{fill:var(--lab-on-accent)}"
    ".lab-picture .line{fill:none;stroke:var(--c,var(--lab-line))}"
    ".lab-picture .now{stroke-width:2}"
    ".lab-picture .dashed{stroke-dasharray:4 3}"
    ".lab-picture .head,.lab-picture .solid{fill:var(--c)}"
    ".lab-picture .box{fill:var(--b,var(--lab-inset));stroke:var(--c,var(--lab-line))}"
    ".lab-picture .back{fill:var(--lab-back)}"
    ".lab-picture .frame{fill:var(--b,var(--lab-inset));stroke:var(--c);stroke-opacity:.5}"
    ".lab-picture .faded{opacity:.35}"
    ".lab-picture .muted,.lab-picture .panel,.lab-picture .database{--c:var(--lab-faint)}"
    ".lab-picture .plain{--c:var(--lab-text)}"
    ".lab-picture .client{--c:var(--lab-client)}"
    ".lab-picture .server{--c:var(--lab-server)}"
    ".lab-picture .access{--c:var(--lab-accent)}"
    ".lab-picture .window{--c:#f0a020}"
    ".lab-picture .ok{--c:var(--lab-good);--b:var(--lab-good-back)}"
    ".lab-picture .bad{--c:var(--lab-bad);--b:var(--lab-bad-back)}"
    ".lab-picture .warn{--c:var(--lab-late);--b:var(--lab-late-back)}"
)

#: Each step of a story takes this many seconds. A printed page does not wait for the last one.
STEP = 0.35
PLAYING = (
    f"@media screen and (prefers-reduced-motion:no-preference){{"
    f".lab-picture.plays .step{{animation:lab-appear {STEP}s calc(var(--n)*{STEP}s) both}}"
    f".lab-picture.plays .dot{{animation:lab-travel {STEP}s calc(var(--n)*{STEP}s) both}}}}"
    "@keyframes lab-appear{from{opacity:0}}"
    "@keyframes lab-travel{from,90%{opacity:1}to{transform:translateX(var(--way))}}"
    ".lab-picture .dot{opacity:0}"
)


def without_style(picture: str) -> str:
    """A picture for a page that has the style sheet already.

    A style sheet that is put into a page makes the browser match every rule of the page again.
    """
    before, _, after = picture.partition("<style>")
    return before + after.partition("</style>")[2]
