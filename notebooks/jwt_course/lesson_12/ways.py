"""What a tab can do when its access token is refused, in a few lines each.

Each way takes a `Tab` and returns the pair to go on with.
"""

from __future__ import annotations

from client_widget import TokenPair

from .tabs import Tab


def each_for_itself(tab: Tab) -> TokenPair:
    """Refresh, and store what came."""
    fresh = tab.send(tab.pair)
    tab.store.set(fresh)
    return fresh


def re_read(tab: Tab) -> TokenPair:
    """Look into the store first: has another tab refreshed?"""
    held = tab.store.get()
    if held is not tab.pair:
        return held
    return each_for_itself(tab)


def lock_only(tab: Tab) -> TokenPair:
    """One tab refreshes at a time."""
    with tab.lock:
        return each_for_itself(tab)


def lock_and_adopt(tab: Tab) -> TokenPair:
    """One tab at a time, and each looks into the store once it has the lock."""
    with tab.lock:
        return re_read(tab)


WAYS = (each_for_itself, re_read, lock_only, lock_and_adopt)
