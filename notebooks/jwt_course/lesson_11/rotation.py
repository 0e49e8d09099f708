"""A change of keys, tried on verifiers that remember the JWK Set for as long as they may.

    trial = try_rotation(Schedule(publish=0, sign=300, retire=360))
    rotation_picture([trial])

Time is in seconds, and the new key exists from second 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jwt

from client_widget.log.pictures.shapes import Element, Role, box, drawing, label, line
from demo_server import DemoClock

from ..outputs import Picture
from .issuer import LIFETIME, Issuer, SigningKey
from .jwks_cache import JwksCache
from .services import MAX_AGE

#: Seconds between two looks, and between the verifiers' fetches.
_STEP = 10

_OLD, _NEW = "old", "new"


@dataclass(frozen=True)
class Schedule:
    """When the issuer does what.

    Attributes:
        publish (int): the new key is in the JWK Set from here on.
        sign (int): the issuer signs with the new key from here on.
        retire (int): the old key leaves the JWK Set.
    """

    publish: int
    sign: int
    retire: int


@dataclass(frozen=True)
class Rotation:
    """What came of a schedule.

    Attributes:
        schedule (Schedule): what was tried.
        asked (int): how many valid tokens were shown to verifiers.
        unknown (tuple[int, ...]): for each refusal of a token of the new key, its second.
        gone (tuple[int, ...]): for each refusal of a token of the old key, its second.
    """

    schedule: Schedule
    asked: int
    unknown: tuple[int, ...]
    gone: tuple[int, ...]

    @property
    def refused(self) -> int:
        """How many valid tokens were refused."""
        return len(self.unknown) + len(self.gone)

    def __str__(self) -> str:
        plan = self.schedule
        parts = [
            f"publish {plan.publish} s, sign {plan.sign} s, retire {plan.retire} s: "
            f"{self.refused} of {self.asked} refused"
        ]
        reasons = {"the new key is unknown": self.unknown, "the old key is gone": self.gone}
        for what, seconds in reasons.items():
            if seconds:
                parts.append(f"{what} from {min(seconds)} to {max(seconds)} s")
        return "; ".join(parts)


def try_rotation(
    schedule: Schedule, *, lifetime: int = LIFETIME, max_age: int = MAX_AGE
) -> Rotation:
    """Change the key on a real issuer, and show each of its tokens to many verifiers.

    The verifiers fetch the JWK Set at different moments, keep it for `max_age`, and never fetch it
    for an unknown `kid`: so this is the worst case.

    Args:
        schedule (Schedule): multiples of ten seconds, with `publish` <= `sign` <= `retire`.
        lifetime (int): of a token, in seconds.
        max_age (int): seconds for which a verifier may keep the JWK Set.
    """
    clock = DemoClock(start=-max_age - lifetime, rate=0)
    issuer = Issuer(SigningKey.generate(_OLD, "EdDSA"), clock=clock, lifetime=lifetime)
    new = SigningKey.generate(_NEW, "EdDSA")
    verifiers = [
        (start, JwksCache(issuer.jwks, clock, max_age=max_age, cooldown=None))
        for start in range(-max_age, 0, _STEP)
    ]
    due: list[tuple[int, Callable[[], None]]] = [
        (schedule.publish, lambda: issuer.publish(new)),
        (schedule.sign, lambda: issuer.sign_with(_NEW)),
        (schedule.retire, lambda: issuer.retire(_OLD)),
    ]
    asked = 0
    refused: dict[str, list[int]] = {_OLD: [], _NEW: []}
    tokens: list[tuple[int, str]] = []
    while (now := round(clock())) <= schedule.retire + max_age:
        for second, act in due:
            if second == now:
                act()
        tokens = [(exp, kid) for exp, kid in tokens if exp > now]
        tokens.append((now + lifetime, jwt.get_unverified_header(issuer.issue("ada"))["kid"]))
        for start, verifier in verifiers:
            if start <= now:
                for kid in (kid for _, kid in tokens):
                    asked += 1
                    if verifier.key(kid) is None:
                        refused[kid].append(now)
        clock.advance(_STEP)
    return Rotation(schedule, asked, tuple(refused[_NEW]), tuple(refused[_OLD]))


_LEFT, _ROW, _SCALE, _START, _END = 170, 132, 1.0, -60, 460
_WIDTH = _LEFT + (_END - _START) * _SCALE + 20


def rotation_picture(trials: Sequence[Rotation]) -> Picture:
    """Three strips for each trial: the old key, the new key, and when tokens were refused."""
    note = "A key that waits or stays only verifies. Red: valid tokens are refused."
    words = "\n".join(map(str, trials))
    height = 46 + _ROW * len(trials)
    parts: list[Element] = [label(16, 24, note, "muted", anchor="start")]
    for number, trial in enumerate(trials):
        parts += _strips(trial, 46 + number * _ROW)
    back = box(0, 0, _WIDTH, height, "back", radius=0)
    svg = drawing("Key rotation", f"{note}\n{words}", _WIDTH, height, [back, *parts])
    return Picture(svg, f"Key rotation\n{words}")


def _strips(trial: Rotation, y: float) -> list[Element]:
    plan = trial.schedule
    parts: list[Element] = [
        line(16, y - 8, _WIDTH - 16, y - 8),
        line(_at(0), y, _at(0), y + 98, "dashed"),
        *(
            label(_at(second), y + 112, f"{second} s", "muted")
            for second in sorted({0, plan.sign, plan.retire})
        ),
    ]
    refused = sorted({*trial.unknown, *trial.gone})
    rows: list[tuple[str, list[tuple[int, int, Role, str]]]] = [
        (
            "old key",
            [(_START, plan.sign, "ok", "signs"), (plan.sign, plan.retire, "muted", "stays")],
        ),
        (
            "new key",
            [(plan.publish, plan.sign, "muted", "waits"), (plan.sign, _END, "ok", "signs")],
        ),
    ]
    if refused:
        last = min(refused[-1] + _STEP, _END)
        rows.append(("tokens refused", [(refused[0], last, "bad", f"{trial.refused} times")]))
    for number, (name, spans) in enumerate(rows):
        top = y + 6 + number * 30
        parts.append(label(16, top + 15, name, "strong", anchor="start"))
        for start, stop, role, said in spans:
            if stop > start:
                parts += _span(start, stop, role, said, top)
    if not refused:
        parts.append(label(16, y + 81, "no token refused", "ok", anchor="start"))
    return parts


def _span(start: int, stop: int, role: Role, said: str, top: float) -> list[Element]:
    wide = (stop - start) * _SCALE
    x = _at(start) + 8 if wide > 7 * len(said) + 12 else _at(stop) + 8
    return [
        box(_at(start), top, wide, 22, "box", role, radius=3),
        label(x, top + 15, said, role, anchor="start"),
    ]


def _at(second: float) -> float:
    return _LEFT + (second - _START) * _SCALE
