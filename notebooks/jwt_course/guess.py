"""Questions before results: the learner commits, runs the next cell, and reads what it was and why.

    g1 = guess("How many requests?", number={3: "one is refused, one refreshes, one is retried"})
    g1.ask()        # shows the question, with choices or a field for a number
    g1.reveal(3)    # "You said 2, it was 3, because one is refused, …"

A lesson's questions are in its `guesses.py`, away from the notebook, so that no reason is read
before its question. What happened decides: `reveal` takes what the cell saw, such as the events of
the log. Without a guess it only says what it was, so "Run All" goes on.

A saved notebook shows the question as a line of text and a picture, the same on every run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import ipywidgets as widgets

from client_widget.display import as_html, in_short_lines
from client_widget.log.pictures.choices import choices
from client_widget.log.pictures.shapes import as_image

from .progress import record

#: What may happen, the words to choose it by, and why it happens.
Answer: TypeAlias = tuple[object, str, str]

_TEXT = "color:var(--jp-content-font-color1,inherit);font-size:14px;line-height:1.5"


class Guess:
    """One question of a lesson.

    Attributes:
        lesson (str), name (str): such as "jwt_course.lesson_03" and "g1"; see `in_order`.
        question (str)
        answers (Sequence[Answer]): those to choose from; none for a number.
        said (object): the learner's answer: its words, or a number; None before there is one.
    """

    lesson = name = ""

    def __init__(
        self,
        question: str,
        answers: Sequence[Answer],
        reasons: Mapping[int, str],
        judge: Callable[[Any], object],
    ) -> None:
        self.question = question
        self.answers = tuple(answers)
        self.said: object = None
        self._reasons = dict(reasons)
        self._judge = judge
        self._revealed = False
        self._view: GuessView | None = None

    def ask(self) -> GuessView:
        """The question as a widget. An earlier guess is taken back."""
        self.said = None
        self._view = GuessView(self)
        return self._view

    def reveal(self, seen: Any) -> None:
        """Print what the learner said, what it was, and why.

        Args:
            seen: what the question's judge reads, such as the events of the log.
        """
        outcome = self._judge(seen)
        if outcome is None:  # it did not happen here, as in a real class
            return
        words, why = self._outcome(outcome)
        if self.said is None:
            sentence = f"It was {words}{why}"
        elif self.said == words:
            sentence = f"You said {self.said}, and it was {words}{why}"
        else:
            sentence = f"You said {self.said}, it was {words}{why}"
        print(f"\n{in_short_lines(sentence)}")
        if self.said is not None and not self._revealed:
            record(self.lesson, self.name, "guess", self.said == words)
        self._revealed = True
        if self._view is not None:
            self._view.end()

    def _outcome(self, outcome: object) -> tuple[str, str]:
        """What happened, as the learner says it, and the rest of the sentence."""
        for happened, words, why in self.answers:
            if happened == outcome:
                return quoted(words), f", because {why}."
        if isinstance(outcome, int) and not self.answers:
            why = self._reasons.get(outcome, "")
            return str(outcome), f", because {why}." if why else ", which this lesson never saw."
        return "something else", ": none of these answers."

    def __repr__(self) -> str:
        return f"<Guess {self.name}: {self.question}>"


def guess(
    question: str,
    *answers: Answer,
    number: Mapping[int, str] | None = None,
    judge: Callable[[Any], object] = lambda seen: seen,
) -> Guess:
    """A question with choices, or with a number.

    Args:
        question (str): what will happen?
        answers: for each choice what happens, its words, and why, as the end of a sentence.
        number: in place of choices, why it is that number.
        judge: what happened, from what `reveal` is given; that itself by default. With None
            nothing is revealed.

    Raises:
        ValueError: there are choices and a number, or neither.
    """
    if bool(answers) == bool(number):
        raise ValueError("a question has choices or a number")
    return Guess(question, answers, number or {}, judge)


def in_order(lesson: str, *questions: Guess) -> tuple[Guess, ...]:
    """The questions of a lesson, named g1, g2 and so on."""
    for number, question in enumerate(questions, 1):
        question.lesson, question.name = lesson, f"g{number}"
    return questions


def quoted(words: str) -> str:
    """The words of a choice in a sentence."""
    return f"“{words}”"


class GuessView(widgets.VBox):  # type: ignore[misc]
    """A question, its answers, and what the learner has said.

    Attributes:
        answer (RadioButtons | Text): where the learner answers.
        status (HTML): what to do next.
    """

    def __init__(self, asked: Guess) -> None:
        self._guess = asked
        self._texts = [words for _, words, _ in asked.answers]
        # The name of the group for a screen reader; each answer has its own label.
        common = {"description": "Your guess", "tooltip": asked.question}
        wide = widgets.Layout(width="auto")
        if self._texts:
            self.answer: Any = widgets.RadioButtons(
                options=self._texts, value=None, layout=wide, **common
            )
        else:
            # Its label begins where the question does.
            left = {"layout": {"width": "14em"}, "style": {"description_width": "initial"}}
            self.answer = widgets.Text(placeholder="a number", **left, **common)
        self.answer.observe(self._on_answer, names="value")
        self.status = widgets.HTML()
        question = f'<div style="{_TEXT};font-weight:600">{as_html(asked.question)}</div>'
        super().__init__([widgets.HTML(question), self.answer, self.status])
        self._say("Answer, then run the next cell.")

    def end(self) -> None:
        """Say where the answer is. From now on there is no guess."""
        self.answer.disabled = True
        self._say("The answer is under the next cell.")

    def _on_answer(self, change: Mapping[str, Any]) -> None:
        value = change["new"]
        if self._texts:
            self._guess.said = None if value is None else quoted(value)
        else:
            text = str(value).strip()
            # Python reads no number of more than 4300 digits.
            self._guess.said = str(int(text)) if text.isdecimal() and len(text) < 20 else None
        if self._guess.said is None:
            self._say("Type a whole number, such as 3.")
        else:
            self._say(f"You say {self._guess.said}. Now run the next cell.")

    def _say(self, words: str) -> None:
        self.status.value = f'<div role="status" style="{_TEXT}">{as_html(words)}</div>'

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**options)
        return bundle | {
            "text/plain": repr(self),
            "image/svg+xml": as_image(choices(self._guess.question, self._texts)),
        }

    def __repr__(self) -> str:
        # What a saved notebook shows in its place.
        return f"{self._guess.question} {' / '.join(self._texts) or 'A number.'}"
