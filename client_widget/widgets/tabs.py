"""Tabs whose contents are made when they are first opened, so that the panel starts sooner."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ipywidgets as widgets

from .view import View


class LazyTabs(widgets.Tab):  # type: ignore[misc]
    """One tab for each maker; the first is made at once, since it is seen at once.

    Args:
        makers (Mapping[str, Callable[[], View]]): titles, and what makes the contents.

    Attributes:
        made (dict[str, View]): the contents that exist, by title.
    """

    def __init__(self, makers: Mapping[str, Callable[[], View]]) -> None:
        self._makers = dict(makers)
        self.made: dict[str, View] = {}
        super().__init__([widgets.VBox() for _ in makers], titles=tuple(makers))
        self.show(next(iter(makers)))
        self.observe(lambda change: self.show(self.titles[change["new"]]), "selected_index")

    def show(self, title: str) -> View:
        """Show the contents of a tab, and give them."""
        index = self.titles.index(title)
        if title not in self.made:
            self.made[title] = self._makers[title]()
            self.children[index].children = (self.made[title],)
        self.selected_index = index
        return self.made[title]

    def refresh(self) -> None:
        """Let the contents that follow the time redraw."""
        for part in tuple(self.made.values()):
            part.refresh()

    def close(self) -> None:
        """Take the tabs away, with what they hold."""
        for part in self.made.values():
            part.close()
        super().close()
