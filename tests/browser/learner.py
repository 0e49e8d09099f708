"""A learner in the browser: guesses with a click, and answers exercises wrong, then right."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from playwright.sync_api import Locator, expect

from .answers import Answers
from .lab import Notebook

# The cells of the open notebook, in their order.
CELLS = """() => window.jupyterapp.shell.currentWidget.content.widgets.map((cell) => ({
  code: cell.model.type === "code",
  source: cell.model.sharedModel.getSource(),
}))"""

# Go to a cell as the arrow keys do: it is in view and active.
GO_TO = """async (index) => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  notebook.activate();
  notebook.activeCellIndex = index;
  notebook.mode = "command";
  await notebook.scrollToItem(index, "center");
}"""

# What a cell has shown, as text, once it has been run again; null until then.
SHOWN = """([index, before]) => {
  const { model } = window.jupyterapp.shell.currentWidget.content.widgets[index];
  const count = model.executionCount;
  return count !== null && count !== before ? model.outputs.toJSON() : null;
}"""

COUNT = """(index) => window.jupyterapp.shell.currentWidget.content.widgets[index]
  .model.executionCount"""

# What is wider than its place, and cut off there: pictures and tables may scroll.
CUT_OFF = """(cell) => [...cell.querySelectorAll(".jp-OutputArea-output *")]
  .filter((part) => part.scrollWidth > part.clientWidth + 1 && part.clientWidth > 0
    && ["hidden", "clip"].includes(getComputedStyle(part).overflowX))
  .map((part) => `${part.className}: ${part.textContent.trim().slice(0, 80)}`)"""

#: What a cell shows when something went wrong in it or around it.
TROUBLE = re.compile(
    r"Traceback|Loading widget|Error displaying|\[object Object\]|Warning\b|run this cell to see it"
)

_ASKS = re.compile(r"(g\d+)\.ask\(\)")
_CHECKS = re.compile(r"^(q\d+)\.check\(\)", re.MULTILINE)


class Said(NamedTuple):
    """What the lesson said to a guess or an answer: such as "g1" and "You said 2, it was 3, …"."""

    name: str
    words: str


class Learner:
    """Works through one notebook from its top.

    Args:
        notebook (Notebook): a learner's copy, which this opens.
    """

    def __init__(self, notebook: Notebook) -> None:
        self._notebook, self._page = notebook, notebook.page

    def work_through(self, answers: Sequence[Answers] = ()) -> list[Said]:
        """Run every cell in its order, and answer what there is to answer.

        Returns:
            list[Said]: what each guess and each check was told.

        Raises:
            AssertionError: a cell failed, or showed something that a learner stumbles over.
        """
        self._notebook.execute("docmanager:open", path=self._notebook.name)
        self._notebook.wait_for_kernel()
        cells = self._page.evaluate(CELLS)
        checks = {
            found[1]: index
            for index, cell in enumerate(cells)
            if (found := _CHECKS.search(cell["source"]))
        }
        open_answers = {self._place(cells, checks[each.exercise]): each for each in answers}
        said: list[Said] = []
        asked = ""
        for index, cell in enumerate(cells):
            if not cell["code"] or index in [checks[each.exercise] for each in answers]:
                continue
            if each := open_answers.get(index):
                for source, verdict in (
                    (each.wrong, "is not right yet: "),
                    (each.right, "is right"),
                ):
                    self._type(index, source)
                    self._run(index)
                    words = self._run(checks[each.exercise])
                    assert words.startswith(f"{each.exercise} {verdict}"), words
                    said.append(Said(each.exercise, " ".join(words.split())))
                continue
            words = self._run(index)
            if found := _ASKS.fullmatch(cell["source"]):
                asked = found[1]
                self._commit(index, int(asked[1:]))
            elif asked and f"{asked}.reveal(" in cell["source"]:
                outcome = words[words.rindex("You said ") :]
                said.append(Said(asked, " ".join(outcome.split())))
                asked = ""
        return said

    def _place(self, cells: list[dict[str, Any]], check: int) -> int:
        """The last cell above a check in which an answer is wanted."""
        return max(i for i in range(check) if re.search(r"^\w+ = \.\.\.", cells[i]["source"], re.M))

    def _go_to(self, index: int) -> Locator:
        self._page.evaluate(GO_TO, index)
        return self._page.locator(".jp-Notebook .jp-Cell.jp-mod-active")

    def _type(self, index: int, source: str) -> None:
        """Replace a cell's text with the keyboard."""
        cell = self._go_to(index)
        cell.locator(".cm-content").click()
        self._page.keyboard.press("Control+a")
        self._page.keyboard.insert_text(source)

    def _run(self, index: int) -> str:
        """Run a cell with Shift+Enter; returns its text outputs."""
        cell = self._go_to(index)
        before = self._page.evaluate(COUNT, index)
        self._page.keyboard.press("Shift+Enter")
        self._page.wait_for_function(SHOWN, arg=[index, before], timeout=120_000)
        self._notebook.wait_for_kernel()
        outputs = self._page.evaluate(SHOWN, [index, before])
        cell = self._go_to(index)
        seen = cell.locator(".jp-Cell-outputWrapper").inner_text()
        assert not [each for each in outputs if each["output_type"] == "error"], seen
        assert not TROUBLE.search(seen), seen
        assert cell.evaluate(CUT_OFF) == []
        return "".join(each["text"] for each in outputs if each["output_type"] == "stream")

    def _commit(self, index: int, number: int) -> None:
        """Answer a question: a choice in turn, or 2."""
        cell = self._go_to(index)
        choices = cell.get_by_role("radio")
        field = cell.get_by_placeholder("a number")
        expect(choices.or_(field).first).to_be_visible()
        if field.count():
            field.fill("2")
        else:
            choices.nth(number % choices.count()).check()
        expect(cell.get_by_role("status")).to_have_text(
            re.compile("^You say .+ Now run the next cell\\.$")
        )
        self._notebook.wait_for_widgets()
