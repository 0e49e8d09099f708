"""The article's interceptor, its log and its pages: the client's side of token login.

    client = AuthClient(server.url, log=log, clock=clock)
    LoginPanel(client, clock=clock)

Start reading at `auth_flow.py`: the protocol is there. `client.py` drives it over HTTP.
"""

from .article_auth import ArticleAuth
from .auth_flow import BearerAuth, Request
from .class_state import Student
from .class_view import ClassView
from .client import AuthClient
from .diagram_view import DiagramView
from .errors import ClientError, LoginRequired, Rejected, ServerUnreachable, StoreError
from .events import Event, EventLog
from .inspector import TokenInspector
from .panel import LoginPanel
from .stepper import Stepper
from .tokens import TokenPair, TokenStore, read_claims
from .tour import Tour
from .tour_view import TourView
from .words import describe

__all__ = [
    "ArticleAuth",
    "AuthClient",
    "BearerAuth",
    "ClassView",
    "ClientError",
    "DiagramView",
    "Event",
    "EventLog",
    "LoginPanel",
    "LoginRequired",
    "Rejected",
    "Request",
    "ServerUnreachable",
    "Stepper",
    "StoreError",
    "Student",
    "TokenInspector",
    "TokenPair",
    "TokenStore",
    "Tour",
    "TourView",
    "describe",
    "read_claims",
]
