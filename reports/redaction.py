"""Keeps secrets out of reports and off the terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "[redacted]"

_SECRET_NAME = re.compile(
    r"_(SECRET|TOKEN|KEY|PASSWORD|PASSWD|CREDENTIAL)|^(SECRET|TOKEN|PASSWORD|API_?KEY)|^(HTTP_)?AUTHORIZATION$",
    re.IGNORECASE,
)

# The order counts: a user's password is taken out of a URL before its parameters are looked at.
_IN_TEXT: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        HIDDEN,
    ),
    # a password may hold slashes and runs to the last @; digits up to a slash are a port
    (
        re.compile(r"\b((?:[A-Za-z][A-Za-z0-9+.-]*):)//[^/\s:@'\"]*:(?!\d{1,5}[/?#])[^\s'\"]*@"),
        rf"\1//{HIDDEN}@",
    ),
    (
        re.compile(
            r"(?i)([?&;](?:X-(?:Amz|Goog)-(?:Signature|Credential|Security-Token)|AWSAccessKeyId|GoogleAccessId"
            r"|Signature|sig|token|access_token)=)[^&\s'\"<>]+"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)\b((?:Credential|Signature)=)[^,\s&'\"]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b((?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{8,}"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)(x-(?:amz|goog)-security-token['\"]?\s*[:=]\s*['\"]?)[^\s,'\"&]+"), rf"\1{HIDDEN}"),
    # NAME=value, NAME: value and "NAME": "value"; capitals only, since checks speak of an object_key freely…
    (
        re.compile(
            r"\b([A-Z0-9_]*_(?:SECRET|TOKEN|KEY|PASSWORD)[A-Z0-9_]*['\"]?\s*[=:]\s*['\"]?)[^\s,;'\"&}]+"
        ),
        rf"\1{HIDDEN}",
    ),
    # …and the names that AWS's own files and SDKs write in small letters.
    (
        re.compile(
            r"(?i)\b(aws_(?:access_key_id|secret_access_key|session_token)['\"]?\s*[=:]\s*['\"]?)[^\s,;'\"&}]+"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b"), HIDDEN),
    (re.compile(r"\b(?:hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,})\b"), HIDDEN),
)

SHORTEST_VALUE = 12
"""Secret values shorter than this aren't looked for in texts: "testing" or "minioadmin" are words there."""


class Redactor:
    """Redacts by shape, by name, and by the values that secret-named environment variables hold."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        values = {value for name, value in environment.items() if is_secret_name(name)}
        self._values = sorted(
            (value for value in values if len(value) >= SHORTEST_VALUE), key=len, reverse=True
        )

    def text(self, text: str) -> str:
        """The text without what looks like a secret or is a known one."""
        for value in self._values:
            text = text.replace(value, HIDDEN)
        for pattern, replacement in _IN_TEXT:
            text = pattern.sub(replacement, text)
        return text

    def texts(self, texts: Mapping[str, str]) -> dict[str, str]:
        """The same for texts under names that are no variables: a subject may be called `trust_keys`."""
        return {name: self.text(text) for name, text in texts.items()}

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
