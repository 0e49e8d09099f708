# The public names, and where each is defined.

from .client.auth_client import AuthClient as AuthClient
from .client.stepper import Stepper as Stepper
from .clock import Clock as Clock
from .errors import ClientError as ClientError
from .errors import Deadlock as Deadlock
from .errors import LoginRequired as LoginRequired
from .errors import RefreshPending as RefreshPending
from .errors import Rejected as Rejected
from .errors import ServerUnreachable as ServerUnreachable
from .errors import StoreError as StoreError
from .errors import TokensNotDeleted as TokensNotDeleted
from .errors import TokensNotSaved as TokensNotSaved
from .errors import TraceError as TraceError
from .log.event import Event as Event
from .log.event_log import Emit as Emit
from .log.event_log import EventLog as EventLog
from .log.event_log import Trace as Trace
from .log.event_text import describe as describe
from .protocol.article_auth import ArticleAuth as ArticleAuth
from .protocol.auth_flow import Auth as Auth
from .protocol.auth_flow import AuthFlow as AuthFlow
from .protocol.auth_flow import BearerAuth as BearerAuth
from .protocol.auth_flow import Request as Request
from .protocol.auth_flow import Response as Response
from .protocol.store import TokenStore as TokenStore
from .protocol.tokens import TokenPair as TokenPair
from .protocol.tokens import read_claims as read_claims
from .tour.tour import Tour as Tour
from .widgets.class_monitor.class_state import Student as Student
from .widgets.class_monitor.class_view import ClassView as ClassView
from .widgets.clock_controls import TimeControls as TimeControls
from .widgets.live_log import LogView as LogView
from .widgets.panel import LoginPanel as LoginPanel
from .widgets.pictures.sequence_diagram import DiagramView as DiagramView
from .widgets.pictures.timeline import TokenTimeline as TokenTimeline
from .widgets.step_by_step import StepView as StepView
from .widgets.token_inspector import TokenInspector as TokenInspector
from .widgets.tour import TourView as TourView

__version__: str
