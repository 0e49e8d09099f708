"""The point where a message leaves the process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol

import requests
from requests.adapters import HTTPAdapter

from .in_process import InProcessAdapter, is_in_process

#: Bytes of a response that is read into memory, after decompression. The lab's longest has 300,000.
#: For more, `request(…, stream=True)`.
MAX_ANSWER = 16_000_000


class Transport(Protocol):
    """Sends messages: over HTTP (`HttpTransport`), or as a test or a lesson wants it."""

    def prepare(self, request: requests.Request) -> requests.PreparedRequest:
        """The request as it will be sent; its `url` is a path of the server."""
        ...

    def send(self, prepared: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send it, and return the response whatever its status.

        Raises:
            requests.RequestException: no response arrived.
        """
        ...


class BrokenAnswer(requests.RequestException):
    """A response that HTTP does not allow, such as a redirect to what is no URL."""


class LargeAnswer(requests.RequestException):
    """A response that does not fit into memory."""


class Response(requests.Response):
    """A response whose content has an end: a server can send a terabyte, or a kilobyte of gzip that
    becomes one."""

    _content_consumed: bool

    @property
    def content(self) -> bytes:
        """The body.

        Raises:
            LargeAnswer: it is larger than `MAX_ANSWER`.
        """
        if not self._content_consumed:
            pieces, length = [], 0
            for piece in self.iter_content(65_536):
                pieces.append(piece)
                length += len(piece)
                if length > MAX_ANSWER:
                    self.close()
                    raise LargeAnswer
            self._content = b"".join(pieces)
        return super().content or b""


class _Adapter(HTTPAdapter):
    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        response = super().build_response(req, resp)
        response.__class__ = Response
        return response


class _Session(requests.Session):
    """A session whose errors in a redirect are `BrokenAnswer`, and not mistakes of the caller."""

    def resolve_redirects(
        self, resp: requests.Response, *args: Any, **options: Any
    ) -> Iterator[requests.Response]:
        try:
            yield from super().resolve_redirects(resp, *args, **options)
        except (ValueError, requests.RequestException) as error:
            resp.close()
            if isinstance(error, requests.RequestException):
                raise
            raise BrokenAnswer(type(error).__name__) from None


class HttpTransport:
    """Sends over HTTP: no cookies, no settings from the environment, one connection pool.

    Args:
        base_url (str): such as "http://127.0.0.1:8000", without a slash at the end. The server at
            "http://in-process:1" is reached without a socket: see `client.in_process`.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self.session = _Session()
        # Neither proxies nor .netrc from the environment: a password in .netrc would replace the
        # bearer token, and a proxy cannot reach this machine's loopback.
        self.session.trust_env = False
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._process = os.getpid()
        self._open_pool()

    def prepare(self, request: requests.Request) -> requests.PreparedRequest:
        """The request with the server's address in front of its path."""
        request.url = self._base_url + request.url
        if request.headers or request.cookies:
            return self.session.prepare_request(request)
        # With nothing to merge into the session's settings this is the same, in half the time. The
        # session's jar is empty, and accepts no cookie.
        prepared = requests.PreparedRequest()
        prepared.prepare(
            method=request.method,
            url=request.url,
            headers=self.session.headers,
            files=request.files,
            data=request.data,
            json=request.json,
            params=request.params or None,
            auth=request.auth,
            cookies=self.session.cookies,
            hooks=request.hooks,
        )
        return prepared

    def send(self, prepared: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send it on a pooled connection, and return the response."""
        if self._process != os.getpid():
            # After a fork, parent and child would read each other's answers from one connection.
            self._process = os.getpid()
            self._open_pool()
        # Where proxies are given, requests does not look for those of the environment.
        options.setdefault("proxies", self.session.proxies)
        return self.session.send(prepared, **options)

    def _open_pool(self) -> None:
        if is_in_process(self._base_url):
            self.session.mount("http://", InProcessAdapter())
            return
        for scheme in ("http://", "https://"):
            # One server, and up to 64 calls at once, as in a lesson's stampede.
            self.session.mount(scheme, _Adapter(pool_connections=4, pool_maxsize=64))
