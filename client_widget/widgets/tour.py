"""`TourView`: the tour as widgets, for one learner or for a class in front of a projector.

Rules:
- a click starts a thread and returns, and all buttons are disabled until the step is done;
- all text is escaped, and what happened is said in words, not by colour alone.
"""

from __future__ import annotations

import threading
from functools import partial

import ipywidgets as widgets

from ..client.auth_client import AuthClient
from ..client.stepper import stepper_of
from ..clock import Clock, MovableClock
from ..display import as_html
from ..errors import ClientError
from ..log.event import Event
from ..log.event_text import describe, tone
from ..tour.tour import StepResult, Tour
from .background import NoThread, Pulse, Workers
from .view import Stylesheet, View, classes, clock_of

NEXT = "Next step"
RESTART = "Back to the start"

NO_CLOCK = (
    "The tour needs a clock that can be moved, and yours cannot be. Make one with "
    "clock = DemoClock(), pass it to the server and to the client, and then write "
    "TourView(client, clock=clock). In a class only the teacher moves the clock: take the tour in "
    "your own lab."
)


class TourView(View, widgets.VBox):  # type: ignore[misc]
    """Shows one step at a time: its story, its question, its answers, and then what happened.

    Args:
        client (AuthClient): carries out the steps.
        clock (Clock | None): the server's clock, with `advance`; the client's by default.

    Attributes:
        tour (Tour | None): the tour; None if the clock cannot be moved.
        head, story, notice, outcome (HTML): step and score, story and question, the last message,
            what happened.
    """

    def __init__(self, client: AuthClient, *, clock: Clock | None = None) -> None:
        clock = clock_of(client, clock)
        self._workers = Workers()
        self.tour = Tour(client, clock=clock) if isinstance(clock, MovableClock) else None
        self.head, self.story, self.notice, self.outcome = (widgets.HTML() for _ in range(4))
        style = Stylesheet()
        if self.tour is None:
            super().__init__(
                [style, self.head, self.story, self.notice, self.outcome], **classes("lab-tour")
            )
            self._say(NO_CLOCK)
            return

        self.on_close(self.tour.close)
        # As many buttons as the longest step needs; the other steps hide the rest.
        most = max(len(step.answers) for step in self.tour.steps)
        self._answers = [widgets.Button(**classes("lab-tour-answer")) for _ in range(most)]
        self._marks = [widgets.HTML() for _ in range(most)]
        self._rows = []
        for index, (button, mark) in enumerate(zip(self._answers, self._marks, strict=True)):
            button.on_click(partial(self._on_answer, index))
            self._rows.append(widgets.HBox([button, mark], **classes("lab-tour-row")))
        self._next = widgets.Button(description=NEXT, button_style="primary")
        self._next.on_click(lambda _: self._on_next())
        self._restart = widgets.Button(description=RESTART)
        self._restart.on_click(lambda _: self._on_restart())
        ways = widgets.HBox([self._next, self._restart], **classes("lab-tour-ways"))
        super().__init__(
            [style, self.head, self.story, *self._rows, self.notice, ways, self.outcome],
            **classes("lab-tour"),
        )
        self._stepper = stepper_of(client)
        self._under_way = False
        # Held while the notice of a step under way is written, and while the step ends.
        self._saying = threading.Lock()
        say_soon = Pulse(0.03, self._say_what_waits)
        self.on_close(self._stepper.subscribe(say_soon.start), say_soon.stop)
        self._draw()

    @property
    def buttons(self) -> dict[str, widgets.Button]:
        """The visible buttons, by label."""
        if self.tour is None:
            return {}
        shown = [*self._answers[: len(self.tour.step.answers)], self._next, self._restart]
        return {button.description: button for button in shown}

    def wait(self, timeout: float = 20.0) -> None:
        """Wait until the step has ended.

        Raises:
            TimeoutError: the step is still running after `timeout` seconds.
        """
        self._workers.wait(timeout)

    def to_svg(self) -> str:
        """The step: its story, its question, its answers, and what happened."""
        from ..log.pictures.page import Block, Heading, Words, page
        from ..log.pictures.panel import steps

        if self.tour is None:
            return page("The tour", [[Words(NO_CLOCK)]])
        tour, step, result = self.tour, self.tour.step, self.tour.result
        parts: list[Block] = [Heading(f"Step {tour.number} of {len(tour.steps)}: {step.title}")]
        parts += [Words(step.story), Words(step.question, strong=True)]
        for index, answer in enumerate(step.answers):
            mark, kinds = _mark(index, result)
            words = f"○ {answer.text} ({mark})" if mark else f"○ {answer.text}"
            parts.append(Words(words, "ok" if "lab-tour-happened" in kinds else "plain"))
        if result is not None:
            parts += [Words(result.why), *steps(result.events, len(result.events))]
        return page("The tour", [parts])

    # What the buttons do

    def _on_answer(self, index: int, _: object) -> None:
        tour = self.tour
        if tour is None or self._answers[index].disabled:
            return
        for button in self.buttons.values():
            button.disabled = True
        self._under_way = True
        self._say_what_waits()
        try:
            self._workers.start("The step", lambda: self._do_step(tour, index))
        except NoThread as error:
            self._end_step(f"{error}")

    def _do_step(self, tour: Tour, index: int) -> None:
        said = ""
        try:
            tour.guess(index)
        except ClientError as error:
            said = f"The step failed. {error} Nothing is lost: choose an answer to try again."
        finally:
            self._end_step(said)

    def _end_step(self, said: str) -> None:
        with self._saying:
            self._under_way = False
            self._draw(said)

    def _say_what_waits(self) -> bool:
        """Say that a step is under way, and which message it waits for if messages are held."""
        with self._saying:
            held = self._stepper.first
            if self._under_way and held is not None:
                self._say(
                    f"{held.title} waits, because messages are held. Press “Send it” under “Step "
                    "by step”, and the tour continues."
                )
            elif self._under_way:
                self._say("The step is under way …")
        return False

    def _on_next(self) -> None:
        if self.tour is not None and not self._next.disabled:
            self.tour.next()
            self._draw()

    def _on_restart(self) -> None:
        if self.tour is not None and not self._restart.disabled:
            self.tour.restart()
            self._draw()

    # What the view shows

    def _draw(self, said: str = "") -> None:
        """Show the current step, what happened in it if it is done, and what went wrong."""
        assert self.tour is not None
        tour, step, result = self.tour, self.tour.step, self.tour.result
        right, guesses = tour.score
        score = f"Score: {right} of {guesses} right" if guesses else "Score: no guess yet"
        self.head.value = (
            f'<div class="lab-tour-head"><span>Step {tour.number} of {len(tour.steps)}</span>'
            f"<span>{score}</span></div>"
        )
        self.story.value = (
            f'<div class="lab-tour-title" role="heading" aria-level="3">{as_html(step.title)}</div>'
            f'<p class="lab-tour-story">{as_html(step.story)}</p>'
            f'<p class="lab-tour-question">{as_html(step.question)}</p>'
        )
        self._say(said, bad=True)
        self._draw_answers(result)
        self.outcome.value = "" if result is None else self._outcome(tour, result)
        self._next.disabled = result is None or tour.finished
        self._restart.disabled = tour.number == 1 and result is None

    def _draw_answers(self, result: StepResult | None) -> None:
        assert self.tour is not None
        answers = self.tour.step.answers
        for index, (row, button, mark) in enumerate(
            zip(self._rows, self._answers, self._marks, strict=True)
        ):
            row.layout.display = None if index < len(answers) else "none"
            if index < len(answers):
                button.description = answers[index].text
            button.disabled = result is not None
            words, kinds = _mark(index, result)
            mark.value = f'<span class="lab-tour-mark">{as_html(words)}</span>' if words else ""
            for kind in ("lab-tour-happened", "lab-tour-guessed"):
                if kind in kinds:
                    row.add_class(kind)
                else:
                    row.remove_class(kind)

    def _outcome(self, tour: Tour, result: StepResult) -> str:
        """The verdict, the reason and the events, as HTML."""
        verdict = "Your answer is right." if result.right else "Your answer is not right."
        happened = tour.step.answers[result.happened_index].text
        again = ""
        if result.logged_in_again:
            again = "<p>The session had changed, so the learner logged in again first.</p>"
        end = ""
        if tour.finished:
            right, guesses = tour.score
            end = f'<p class="lab-tour-end">The tour is complete: {right} of {guesses} right.</p>'
        lines = "".join(_line(event) for event in result.events)
        return (
            f'<div class="lab-tour-outcome" role="status"><p class="lab-tour-verdict">'
            f"{verdict} What happened: {as_html(happened)}</p>"
            f'{again}<p class="lab-tour-why">{as_html(result.why)}</p>{end}</div>'
            f'<div class="lab-tour-caption">The events of this step</div>'
            f'<ol class="lab-tour-events">{lines}</ol>'
        )

    def _say(self, text: str, *, bad: bool = False) -> None:
        kind = "lab-tour-notice lab-tour-bad" if bad else "lab-tour-notice"
        self.notice.value = f'<div class="{kind}" role="status">{as_html(text)}</div>'


def _mark(index: int, result: StepResult | None) -> tuple[str, list[str]]:
    """The words next to an answer, and the classes of its row."""
    if result is None:
        return "", []
    happened, guessed = index == result.happened_index, index == result.guessed_index
    words = ["✓ this happened"] * happened + ["your answer"] * guessed
    kinds = ["lab-tour-happened"] * happened + ["lab-tour-guessed"] * guessed
    return ", ".join(words), kinds


def _line(event: Event) -> str:
    return (
        f'<li class="lab-tour-{tone(event)}"><b>{as_html(event.source)}</b> '
        f"{as_html(describe(event))}</li>"
    )
