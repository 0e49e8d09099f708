"""What lesson 08 asks before it shows it. The responses of the three servers decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..guess import Answer, Guess, guess, in_order

_WEAK, _ARTICLE, _RFC = "weak", "article", "rfc"


def _servers(**whys: str) -> tuple[Answer, ...]:
    """Which servers: none, the weak one, the first two, or all. The reasons by those names."""
    named = {
        "none": ([], "None of them"),
        "weak": ([_WEAK], "Only the weak one"),
        "two": ([_WEAK, _ARTICLE], "The weak one and the article's"),
        "all": ([_WEAK, _ARTICLE, _RFC], "All three"),
    }
    return tuple(
        (*answer, whys.get(name, "the servers treat it in this way"))
        for name, answer in named.items()
    )


def _differ(said: Mapping[str, Sequence[str]]) -> list[str]:
    """The servers that did not say the same each time."""
    return [name for name, each in said.items() if len(set(each)) > 1]


def _yes(taken: Mapping[str, bool]) -> list[str]:
    return [name for name, each in taken.items() if each]


def guesses() -> tuple[Guess, ...]:
    """g1 to g12, each revealed with what its cell collected, by the server's name."""
    return in_order(
        __package__,
        guess(
            "The token says alg: none, has no signature, and names admin. Which servers say "
            "“Welcome admin”?",
            *_servers(weak="it lets the token choose how it is checked, and the others do not"),
            judge=_yes,
        ),
        guess(
            "Which servers accept the refresh token in place of the access token?",
            *_servers(
                weak="it signs both kinds with one secret and never looks at the kind",
                two="neither of them looks at the kind",
            ),
            judge=_yes,
        ),
        guess(
            "How many of the three secrets are in a list of 400 well-known words?",
            number={
                0: "all of them are random",
                1: "the weak server's is a dictionary word, and the others are random bytes",
            },
            judge=lambda found: len(_yes(found)),
        ),
        guess(
            "The next secret has 38 bytes. Does ServerConfig accept it, and is it safe?",
            ((False, True), "It refuses it", "it is too short"),
            (
                (True, True),
                "It accepts it, but anyone can guess it",
                "a check of the length can't see that it comes from a list of known secrets",
            ),
            ((True, False), "It accepts it, and it is safe", "it is long and in no list"),
        ),
        guess(
            "A wrong password for admin, and one for a name that nobody has. On which servers do "
            "the responses differ?",
            *_servers(
                two="they say whether the name or the password was wrong, and rfc says one thing",
                weak="the others say the same in both cases",
            ),
            judge=_differ,
        ),
        guess(
            "How many of the 400 words does the rfc server let mallory try?",
            number={5: "after five failures it answers 429 and asks to wait"},
        ),
        guess(
            "A patient attacker waits as long as the rfc server says. How many words is that in an "
            "hour?",
            ("20", "About 20", "each wait is twice the last, and soon it is five minutes"),
            ("200", "About 200", "the waits stay short"),
            ("2000", "About 2,000", "there are hardly any waits"),
            judge=lambda tries: "20" if tries < 60 else "200" if tries < 600 else "2000",
        ),
        guess(
            'You know one user\'s password but no username, and send {"$gt": ""} as the name. '
            "Which servers let you in?",
            *_servers(
                weak="it passes any JSON value on to the database, and the others want a text",
                two="both pass any JSON value on to the database",
            ),
            judge=_yes,
        ),
        guess(
            "The name with the script is stored. Is it still dangerous when the page is built with "
            "escaping?",
            (True, "Yes, it is in the database", "the browser found something to run"),
            (
                False,
                "No",
                "the page shows < as text, so the browser finds nothing to run",
            ),
            judge=bool,
        ),
        guess(
            "How many tokens are in the file with a plain dict, and how many in the one with our "
            "client's answer?",
            ((2, 2), "2 and 2", "both show what they hold"),
            ((2, 0), "2 and 0", "a dict shows all it holds, and our answer's repr hides tokens"),
            ((0, 0), "0 and 0", "neither shows what it holds"),
        ),
        guess(
            "mallory finds the access token an hour later. Which servers still accept it?",
            *_servers(
                weak="its tokens live for 30 days, and those of the others for a minute",
                none="an hour is longer than any of them lives",
            ),
            judge=_yes,
        ),
        guess(
            "After 30 seconds ada logs out. Which servers still accept the lost access token?",
            *_servers(
                two="they have no logout: only ada's client forgets the token",
                none="each of them ended the session",
            ),
            judge=_yes,
        ),
    )
