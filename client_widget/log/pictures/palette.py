"""The palette: a colour for each role, in light and in dark.

The pictures and the style sheet of the widgets both take their colours from here. Each scheme is
CSS declarations. Text and background are the page's own where it has a theme (JupyterLab, Voilà);
the other colours have at least 4.5:1 on the backgrounds (WCAG 2.2, 1.4.3).
"""

from __future__ import annotations

import re

LIGHT = (
    "--lab-text:var(--jp-content-font-color1,#1f2328);--lab-faint:#57606a;"
    "--lab-back:var(--jp-layout-color1,#fff);--lab-inset:#f6f8fa;"
    "--lab-line:#d1d9e0;--lab-edge:#818b98;"
    "--lab-accent:#0969da;--lab-on-accent:#fff;"
    "--lab-good:#1a7f37;--lab-good-back:#dafbe1;"
    "--lab-late:#7d4e00;--lab-late-back:#fff8c5;"
    "--lab-bad:#c21c2c;--lab-bad-back:#ffebe9;"
    "--lab-client:#6639ba;--lab-server:#0b6e78"
)
DARK = (
    "--lab-text:var(--jp-content-font-color1,#f0f6fc);--lab-faint:#9ba3ad;"
    "--lab-back:var(--jp-layout-color1,#0d1117);--lab-inset:#272a30;"
    "--lab-line:#3d444d;--lab-edge:#6e7781;"
    "--lab-accent:#4493f8;--lab-on-accent:#0d1117;"
    "--lab-good:#3fb950;--lab-good-back:#12261e;"
    "--lab-late:#d29922;--lab-late-back:#2b230f;"
    "--lab-bad:#ff7b72;--lab-bad-back:#2d1416;"
    "--lab-client:#b392f0;--lab-server:#56d4dd"
)

#: Light, whatever theme the page has.
PAPER = re.sub(r"var\(--jp-[\w-]+,(#\w+)\)", r"\1", LIGHT)

#: For forced colours, which a reader has chosen.
HIGH_CONTRAST = ";".join(
    f"{name}:{'Canvas' if name.endswith(('back', 'inset', 'on-accent')) else 'CanvasText'}"
    for name in re.findall(r"--[\w-]+(?=:)", LIGHT)
)
