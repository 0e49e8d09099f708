"""Tabs that make their contents when they are first opened, so that the panel starts sooner."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ipywidgets as widgets

from .view import View


class LazyTabs(View, widgets.Tab):  # type: ignore[misc]
    """One tab for each maker. The first is made at once, because it is visible at once.

    Args:
        makers (Mapping[str, Callable[[], View]]): by title, what makes the contents.

    Attributes:
        made (dict[str, View]): the contents that exist, by title.
    """

    def __init__(self, makers: Mapping[str, Callable[[], View]]) -> None:
        self._makers = dict(makers)
        self.made: dict[str, View] = {}
        plain = widgets.Layout()  # one message instead of one for each tab
        super().__init__([widgets.VBox(layout=plain) for _ in makers], titles=tuple(makers))
        self.show(next(iter(makers)))
        self.observe(lambda change: self.show(self.titles[change["new"]]), "selected_index")

    def show(self, title: str) -> View:
        """Open a tab, and return its contents."""
        index = self.titles.index(title)
        if title not in self.made:
            self.made[title] = self._makers[title]()
            self.children[index].children = (self.made[title],)
        self.selected_index = index
        return self.made[title]

    def to_svg(self) -> str:
        """The contents that are visible."""
        return self.made[self.titles[self.selected_index]].to_svg()

    def refresh(self) -> None:
        """Redraw the contents that exist."""
        for part in tuple(self.made.values()):
            part.refresh()
