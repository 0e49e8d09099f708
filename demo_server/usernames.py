"""The one rule for usernames: at registration, at login, and for the setting TEACHERS.

Names that look the same must be the same, or one user can pass for another. So a name has one
spelling, and every character of it can be seen. The rule follows the profile UsernameCasePreserved
of RFC 8265, section 3.4, with these differences:

- Names that are not in Unicode normalization form C (NFC) are refused, and not normalized. The
  server compares names byte by byte in the database, in tokens, in TEACHERS and in the class log.
  A server that rewrote a name would answer with another one than the client sent and keeps.
- Symbols such as emoji are allowed. A library for the profile, precis_i18n, refuses them, and
  accepts U+200D next to some letters.

Letters of two scripts can still look alike, such as the Latin and the Cyrillic "a".
"""

from __future__ import annotations

import unicodedata

MAX_LENGTH = 64

#: Unicode Technical Standard 39, section 5.4: more nonspacing marks cover the neighbouring lines.
MAX_MARKS = 4

#: Characters that draw nothing, though Python calls them printable: fillers, joiners, variation
#: selectors (Default_Ignorable_Code_Point in the Unicode database) and the blank Braille pattern.
_BLANK = frozenset(
    map(
        chr,
        [
            0x034F,
            0x115F,
            0x1160,
            0x17B4,
            0x17B5,
            *range(0x180B, 0x1810),
            0x2800,
            0x3164,
            *range(0xFE00, 0xFE10),
            0xFFA0,
            *range(0xE0100, 0xE01F0),
        ],
    )
)


def fault_in(name: str) -> str | None:
    """What is wrong with a username, as a sentence; None if it can be used.

    The sentence never contains the name, only the code point of a character.
    """
    if not name:
        return "Enter a username."
    if len(name) > MAX_LENGTH:
        return f"The username must have at most {MAX_LENGTH} characters, not {len(name)}."
    for char in name:
        # Not printable: control, bidi and zero-width characters, lone surrogates, code points
        # without a character, and every space but U+0020.
        if not char.isprintable() or char in _BLANK:
            return f"The username contains {_described(char)}, which cannot be seen: leave it out."
    if name != name.strip():
        return "The username must not begin or end with a space."
    if "  " in name:
        return "The username must not contain two spaces in a row."
    if not unicodedata.is_normalized("NFC", name):
        return (
            "The username is not in Unicode normalization form C (NFC): write each letter and "
            "its accent as one character."
        )
    marks = "".join("m" if unicodedata.category(char) in ("Mn", "Me") else " " for char in name)
    if unicodedata.category(name[0]).startswith("M"):
        return "The username must not begin with a combining mark."
    if "m" * (MAX_MARKS + 1) in marks:
        return f"The username must not have more than {MAX_MARKS} combining marks in a row."
    return None


def _described(char: str) -> str:
    name = unicodedata.name(char, "")
    return f"U+{ord(char):04X} ({name})" if name else f"U+{ord(char):04X}"
