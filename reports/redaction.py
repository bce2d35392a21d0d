"""Keeps secrets out of reports and off the terminal."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

HIDDEN = "[redacted]"

_SECRET_NAME = re.compile(
    r"_(SECRET|TOKEN|KEY|PASSWORD|PASSWD|CREDENTIAL)|^(SECRET|TOKEN|PASSWORD|API_?KEY)|^(HTTP_)?AUTHORIZATION$",
    re.IGNORECASE,
)

# Where a word may begin: as regular expressions see it, and behind an escape, whose last letter isn't its…
_WORD = r"(?:\b|(?<=\\[nrtbf])|(?<=\\u[0-9a-f]{4})|(?<=\\x[0-9a-f]{2}))"
# …or behind a prefix such as `db_`, which nothing has to match: that took long for many in a row.
_BEGIN = rf"(?:{_WORD}|(?<=_))"
_NAME_BEGIN = rf"(?:{_BEGIN}|(?-i:(?<=[a-z0-9])(?=[A-Z])))"  # in camelCase, too

# Between a name and its value. The marks may be escaped where one text was quoted in another.
_QUOTE = r"\\{0,3}['\"]"
_OPENS = rf"(?:b?{_QUOTE})?"
_IS = rf"(?:{_QUOTE})?\s*[=:]{{1,2}}\s*{_OPENS}"
# A value behind a name that ordinary texts use, too: long enough, and none of a tokenizer's <pad> and [MASK].
_VALUE = r"(?![<\[])[^\s,;'\"&})]{8,}"
_DIGIT_IN_VALUE = r"(?=[^\s,;'\"&})]{0,100}?\d)"

# The order counts: a user's password is taken out of a URL before its parameters are looked at.
_IN_TEXT: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        HIDDEN,
    ),
    # a password may hold slashes and runs to the last @; digits up to a slash are a port. Bounded, since a
    # text of addresses without any would be searched to its end from each of them
    (
        re.compile(
            _BEGIN
            + r"((?:[A-Za-z][A-Za-z0-9+.-]{0,40}):)//[^/\s:@'\"]{0,500}:(?!\d{1,5}[/?#])[^\s'\"]{0,1000}@"
        ),
        rf"\1//{HIDDEN}@",
    ),
    # a token alone in the user's place; a short one is a user's name
    (re.compile(r"(://)[^/\s:@'\"]{16,}@"), rf"\1{HIDDEN}@"),
    # parameters of signed addresses, also where the address is itself a parameter of another one
    (
        re.compile(
            r"(?i)((?:[?&;]|%3F|%26|\\u0026)(?:X-(?:Amz|Goog)-(?:Signature|Credential|Security-Token)"
            r"|AWSAccessKeyId|GoogleAccessId|Signature|sig|token|access_token)(?:=|%3D))"
            r"(?:(?!%26|\\u0026)[^&\s'\"<>])+"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)" + _BEGIN + r"((?:Credential|Signature)=)[^,\s&'\"]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)" + _BEGIN + r"((?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{8,}"), rf"\1{HIDDEN}"),
    # the signatures of Azure's and of S3's older headers
    (re.compile(_BEGIN + r"((?:SharedKey(?:Lite)?|AWS)\s+[^\s:'\"]+:)[A-Za-z0-9+/=]{8,}"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)(x-(?:amz|goog)-security-token['\"]?\s*[:=]\s*['\"]?)[^\s,'\"&]+"), rf"\1{HIDDEN}"),
    # the schemes of bare secrets; some list headers as pairs
    (
        re.compile(rf"(?i)(authorization(?:{_QUOTE})?\s*[=:,]\s*{_OPENS}(?:token|api-?key)\s+){_VALUE}"),
        rf"\1{HIDDEN}",
    ),
    # NAME=value, NAME: value and "NAME": "value"; capitals only, since checks speak of an object_key freely.
    # Looked ahead for, since that isn't tried again: a name made of such words alone took minutes…
    (
        re.compile(
            rf"(?:{_WORD}|(?<=[a-z]_))(?=[A-Z0-9_]*?_(?:SECRET|TOKEN|KEY|PASSWORD))([A-Z0-9_]+{_IS})"
            r"[^\s,;'\"&}]+"
        ),
        rf"\1{HIDDEN}",
    ),
    # …and the names that clouds' own files, SDKs and connection strings write in other letters, whatever
    # stands before them: nothing else is called that…
    (
        re.compile(
            r"(?i)((?:access[._-]?key(?:[._-]?id)?|secret[._-]?key|secret[._-]?access[._-]?key"
            r"|session[._-]?token|access[._-]?token|refresh[._-]?token|client[._-]?secret|account[._-]?key"
            rf"|private[._-]?key[._-]?id|api[._-]?key|passw(?:or)?d){_IS})"
            r"[^\s,;'\"&})]+"
        ),
        rf"\1{HIDDEN}",
    ),
    # …and those that texts use otherwise, as in "the token: unexpected". Their values are secrets behind =,
    # in quotation marks behind a name in such, and with a digit. The names come first for speed.
    (
        re.compile(
            rf"(?i)(?=token|secret)({_NAME_BEGIN}(?:token|secret)\s*={{1,2}}\s*{_OPENS}"
            rf"|{_NAME_BEGIN}(?<!\s)(?:token|secret){_QUOTE}\s*[=:]{{1,2}}\s*b?{_QUOTE}"
            rf"|{_NAME_BEGIN}(?:token|secret){_IS}{_DIGIT_IN_VALUE}){_VALUE}"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(_BEGIN + r"(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b"), HIDDEN),
    (re.compile(_BEGIN + r"(?:hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,})\b"), HIDDEN),
    # Google's: the id of an HMAC key, of a user or of a service account, and the tokens of OAuth
    (re.compile(_BEGIN + r"(?:GOOG1[A-Za-z0-9]{20,}|GOOG[A-Z0-9]{20}|ya29\.[A-Za-z0-9._-]{8,})"), HIDDEN),
)

SHORTEST_VALUE = 12
"""Secret values shorter than this aren't looked for in texts: "testing" or "minioadmin" are words there."""
SHORTEST_PART = 8
"""Of a secret value that was cut off, with the end of a log or of what is shown, in characters."""
LONGEST = 20_000
"""Characters of a text in a report: a loader may say megabytes."""
_EXAMINED = 5 * LONGEST  # of either end: a secret that is cut here lies far from what stays


class Redactor:
    """Redacts by shape, by name, and by the values that secret-named environment variables hold."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        values = {value for name, value in environment.items() if is_secret_name(name)}
        long = {form for value in values if len(value) >= SHORTEST_VALUE for form in _forms(value)}
        self._values = sorted(long, key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text without what looks like a secret or is a known one, also where that was cut off."""
        for value in self._values:
            text = _without_parts(text.replace(value, HIDDEN), value)
        for pattern, replacement in _IN_TEXT:
            text = pattern.sub(replacement, text)
        return text

    def brief(self, text: str) -> str:
        """The same, at most LONGEST characters of it and what says so; cut after it was redacted."""
        if len(text) <= LONGEST:
            return self.text(text)
        head, tail = self.text(text[:_EXAMINED]), self.text(text[-_EXAMINED:])
        half = LONGEST // 2
        return f"{head[:half]}… ({len(text)} characters, the middle is left out) …{tail[-half:]}"

    def texts(self, texts: Mapping[str, str]) -> dict[str, str]:
        """The same for texts under names that are no variables: a subject may be called `trust_keys`."""
        return {name: self.brief(text) for name, text in texts.items()}

    def value(self, value: Any) -> Any:
        """The same for nested mappings and sequences; a value under a secret's name goes altogether."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {
                self.text(str(name)): HIDDEN if is_secret_name(str(name)) and item else self.value(item)
                for name, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return value


def is_secret_name(name: str) -> bool:
    """Whether a variable or setting of this name holds something that nobody should read."""
    return _SECRET_NAME.search(name) is not None


def _forms(value: str) -> set[str]:
    """The value as it stands in texts: itself, inside an address, as a literal, encoded for a header."""
    encoded = base64.b64encode(value.encode("utf-8", "surrogateescape")).decode()
    in_addresses = {quote(value, safe=safe, errors="surrogateescape") for safe in ("", "/")}
    return {value, *in_addresses, repr(value)[1:-1], json.dumps(value)[1:-1], encoded}


def _without_parts(text: str, value: str) -> str:
    """The text without the value's beginning before a cut, and without its end behind one.

    What cuts texts leaves an ellipsis or a quotation mark there, or nothing more of the text.
    """
    begin, end = value[:SHORTEST_PART], value[-SHORTEST_PART:]
    if begin not in text and end not in text:
        return text
    for size in range(len(value) - 1, SHORTEST_PART - 1, -1):
        if value[:size] in text:
            text = re.sub(re.escape(value[:size]) + r"(?=[…'\"\n]|\Z)", HIDDEN, text)
        if value[-size:] in text:
            text = re.sub(r"((?:^|(?<=[…'\"\n]))\s*)" + re.escape(value[-size:]), rf"\1{HIDDEN}", text)
    return text
