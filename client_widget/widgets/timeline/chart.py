"""The timeline's chart, in bqplot. Its axis shows seconds since the last login.

Seconds, because the lab teaches lifetimes: an access token expires at 60 and a session ends at 300,
and the axis shows both. The time of day is in the log.
"""

from __future__ import annotations

import math

import bqplot

from ...log.token_lives import Bar, Mark, Timeline

#: Each is readable on a light and on a dark background.
COLOURS = {
    "access": "#3d8bd4",
    "refresh": "#a06bd6",
    "window": "#f0a020",
    "good": "#2fa84f",
    "bad": "#e5484d",
    "none": "#8f8f8f",
}
# The theme's text colour.
_TEXT = "var(--jp-content-font-color1)"

_REQUESTS, _CLOCK, _FIRST_TOKEN = 0, 1, 2
_LEVEL = 0.42  # between two stacked marks, in rows
_LEVELS = 3
_PALE = 0.4
# Shares of the axis: the margin on each side, and the distance below which marks are stacked.
_MARGIN = 0.04
_NEAR = 0.02
# The longest axis, in lifetimes of the longest token. So after an hour, a token of one minute is
# still drawn as a bar and not as a dot.
_LIVES = 3.0
# Seconds between two ticks: the first that needs at most `_MOST_TICKS`.
_STEPS = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 6 * 3600, 24 * 3600)
_MOST_TICKS = 12
_TICKS = {"font-size": "14px", "fill": _TEXT}


def outcome(mark: Mark) -> str:
    """How a mark looks: "good", "bad", or "none" if no response arrived."""
    if mark.status is None:
        return "none"
    return "good" if mark.status < 400 else "bad"


class Chart:
    """The figure and its marks.

    Attributes:
        figure (bqplot.Figure): the widget to show.
        bars, windows, answers, moves, now: its marks; `answers` by outcome.
    """

    def __init__(self) -> None:
        self.x = bqplot.LinearScale(min=0.0, max=60.0, allow_padding=False)
        self.y = bqplot.LinearScale(min=-1.2, max=5.0, reverse=True, allow_padding=False)
        scales = {"x": self.x, "y": self.y}
        self.bars = _lines(scales, stroke_width=14)
        self.windows = _lines(scales, stroke_width=14, colors=[COLOURS["window"]])
        self.moves = _lines(scales, stroke_width=2, line_style="dashed", colors=[_TEXT])
        self.move_words = bqplot.Label(
            x=[], y=[], text=[], scales=scales, colors=[_TEXT], default_size=13, y_offset=-13,
            align="middle", font_weight="normal",
        )  # fmt: skip
        self.answers = {
            name: bqplot.Scatter(
                x=[], y=[], scales=scales, colors=[COLOURS[name]], marker=marker, default_size=90
            )
            for name, marker in (("good", "circle"), ("bad", "cross"), ("none", "square"))
        }
        self.now = _lines(scales, stroke_width=2, colors=[_TEXT], visible=True)
        self.now_word = bqplot.Label(
            x=[0.0], y=[-1.2], text=["now"], scales=scales, colors=[_TEXT], default_size=14,
            y_offset=-4, align="middle", apply_clip=False,
        )  # fmt: skip
        self.seconds = bqplot.Axis(
            scale=self.x, label="seconds since login", label_color=_TEXT, label_offset="38px",
            tick_style=_TICKS, tick_format=".0f", grid_lines="solid",
        )  # fmt: skip
        self.rows = bqplot.Axis(scale=self.y, side="left", tick_style=_TICKS, grid_lines="none")
        self.figure = bqplot.Figure(
            marks=[
                self.bars, self.windows, self.moves, self.move_words, *self.answers.values(),
                self.now, self.now_word,
            ],
            axes=[self.seconds, self.rows],
            animation_duration=0,
            fig_margin={"top": 24, "bottom": 48, "left": 150, "right": 16},
            layout={"width": "100%", "height": "340px", "min_width": "0"},
        )  # fmt: skip

    def draw(self, timeline: Timeline, now: float) -> None:
        """Draw the whole timeline at `now`, in seconds since the epoch."""
        self.origin = _origin(timeline, now)
        self.timeline = timeline
        self._draw_axes(now)
        rows = range(_FIRST_TOKEN, _FIRST_TOKEN + len(timeline.tokens))
        alive = [1.0 if bar.exp > now else _PALE for bar in timeline.tokens]
        _set_lines(
            self.bars,
            [self._between(bar.iat, bar.exp) for bar in timeline.tokens],
            list(rows),
            colors=[COLOURS.get(bar.kind, COLOURS["none"]) for bar in timeline.tokens],
            opacities=alive,
        )
        access = [
            (bar, row, opacity)
            for bar, row, opacity in zip(timeline.tokens, rows, alive, strict=True)
            if bar.kind == "access"
        ]
        _set_lines(
            self.windows,
            [self._between(bar.window, bar.exp) for bar, _, _ in access],
            [row for _, row, _ in access],
            opacities=[opacity for _, _, opacity in access],
        )
        moved = [self._between(move.at - move.seconds, move.at) for move in timeline.moves]
        _set_lines(self.moves, moved, [_CLOCK] * len(moved))
        with self.move_words.hold_sync():
            self.move_words.x = [(start + end) / 2 for start, end in moved]
            self.move_words.y = [float(_CLOCK)] * len(moved)
            self.move_words.text = [f"{move.seconds:+g} s" for move in timeline.moves]
        self._draw_answers()

    def move_now(self, now: float) -> None:
        """Draw what changes each second, at `now` in seconds since the epoch."""
        alive = [1.0 if bar.exp > now else _PALE for bar in self.timeline.tokens]
        if alive != self.bars.opacities and self.timeline.tokens:
            self.draw(self.timeline, now)
            return
        self._draw_axes(now)

    def _between(self, start: float, end: float) -> tuple[float, float]:
        return start - self.origin, end - self.origin

    def _draw_axes(self, now: float) -> None:
        tokens = self.timeline.tokens
        start, end = _extent(self.timeline, now)
        room = (end - start) * _MARGIN
        with self.x.hold_sync():
            self.x.min, self.x.max = self._between(start - room, end + room)
        self.seconds.tick_values = _ticks(self.x.min, self.x.max)
        bottom = max(len(tokens), 3) + _FIRST_TOKEN - 0.4
        self.y.max = bottom
        labels = ["requests", "clock moved", *(bar.label for bar in tokens)]
        # The labels first, in a separate message: ticks that arrive in the same message are drawn
        # with the old labels.
        self.rows.tick_labels = {str(row): label for row, label in enumerate(labels)}
        self.rows.tick_values = list(range(len(labels)))
        at = now - self.origin
        _set_lines(self.now, [(at, at)], [-1.2], ends=[bottom])
        self.now_word.x = [at]

    def _draw_answers(self) -> None:
        """Stack marks that are too close, so that a 403 and its retry are both visible."""
        points: dict[str, list[tuple[float, float]]] = {name: [] for name in self.answers}
        near = (self.x.max - self.x.min) * _NEAR
        last, level = None, 0
        for mark in self.timeline.marks:
            level = (level + 1) % _LEVELS if last is not None and mark.at - last < near else 0
            last = mark.at
            point = (mark.at - self.origin, _REQUESTS - level * _LEVEL)
            points[outcome(mark)].append(point)
        for name, scatter in self.answers.items():
            with scatter.hold_sync():
                scatter.x = [x for x, _ in points[name]]
                scatter.y = [y for _, y in points[name]]


def _origin(timeline: Timeline, now: float) -> float:
    """Second zero: the last login, or else the earliest thing drawn."""
    if timeline.login is not None:
        return timeline.login
    return min([*(bar.iat for bar in timeline.tokens), *(m.at for m in timeline.marks), now])


def _extent(timeline: Timeline, now: float) -> tuple[float, float]:
    """The start and the end of the axis, in seconds since the epoch."""
    bars: tuple[Bar, ...] = timeline.tokens
    longest = max((bar.exp - bar.iat for bar in bars), default=60.0)
    end = max([now, *(bar.exp for bar in bars)])
    start = min([now, *(bar.iat for bar in bars)])
    return max(start, end - _LIVES * longest), max(end, start + longest)


def _ticks(start: float, end: float) -> list[int]:
    """Round numbers of seconds; 60 and 300 are among them."""
    step = next((s for s in _STEPS if (end - start) / s <= _MOST_TICKS), None)
    step = step or math.ceil((end - start) / _MOST_TICKS)
    return list(range(math.ceil(start / step) * step, math.floor(end) + 1, step))


def _lines(scales: dict[str, bqplot.Scale], **options: object) -> bqplot.Lines:
    """Horizontal or vertical lines, invisible until there are some."""
    return bqplot.Lines(
        x=[[0.0, 0.0]], y=[[0.0, 0.0]], scales=scales, **{"visible": False, **options}
    )


def _set_lines(
    lines: bqplot.Lines,
    spans: list[tuple[float, float]],
    rows: list[int] | list[float],
    *,
    ends: list[float] | None = None,
    **style: object,
) -> None:
    """Draw each span in its row, in one message."""
    lines.visible = bool(spans)
    if not spans:
        return
    with lines.hold_sync():
        lines.x = [list(span) for span in spans]
        lines.y = [[a, b] for a, b in zip(rows, ends or rows, strict=True)]
        for name, value in style.items():
            setattr(lines, name, value)
