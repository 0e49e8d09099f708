"""Faults of the driver: clients, each wrong in one place, with `BearerAuth`'s protocol."""

from __future__ import annotations

import threading

from client_widget import AuthClient, Request
from client_widget.client.outgoing_call import OutgoingCall
from client_widget.protocol.auth_flow import AuthFlow


class RushClient(AuthClient):
    """Looks whether another call has refreshed, and if not, refreshes."""

    def _refresh_once(self, flow: AuthFlow, message: Request, call: OutgoingCall) -> Request:
        with self._refreshes.lock:
            refreshed = self.store.get() is not message.replaces
        if refreshed:
            return flow.send(None)
        return self._advance(flow, message, call)


class SilentClient(AuthClient):
    """One call refreshes. The others wait until it says that it has."""

    _refreshed: threading.Event | None = None

    def _refresh_once(self, flow: AuthFlow, message: Request, call: OutgoingCall) -> Request:
        with self._refreshes.lock:
            if self.store.get() is not message.replaces:
                return flow.send(None)
            under_way = self._refreshed
            if under_way is None:
                self._refreshed = threading.Event()
        if under_way is not None:
            under_way.wait()
            return flow.send(None)

        following = self._advance(flow, message, call)
        with self._refreshes.lock:
            done, self._refreshed = self._refreshed, None
        if done is not None:
            done.set()
        return following


class LatecomerClient(AuthClient):
    """One call refreshes. Those that come meanwhile wait for it."""

    _refreshed: threading.Event | None = None

    def _refresh_once(self, flow: AuthFlow, message: Request, call: OutgoingCall) -> Request:
        with self._refreshes.lock:
            under_way = self._refreshed
            if under_way is None:
                mine = self._refreshed = threading.Event()
        if under_way is not None:
            under_way.wait()
            return flow.send(None)

        try:
            return self._advance(flow, message, call)
        finally:
            with self._refreshes.lock:
                self._refreshed = None
            mine.set()


class ParcelClient(AuthClient):
    """Makes the retry from what the protocol knows of the call."""

    def _advance(self, flow: AuthFlow, message: Request, call: OutgoingCall) -> Request:
        if message.purpose == "retry":
            call = self._open_call(message.method, message.path, {}, call.correlation)
        return super()._advance(flow, message, call)
