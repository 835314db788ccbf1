"""The patterns that need no checksum and no model: contact data, birth dates, credentials.

They are written for the `regex` module, which knows look-behinds of any width and a timeout.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["CARD", "PATTERNS", "SECRETS", "SURROGATE_LIKE"]

_EMAIL: Final = (
    # invisible characters inside an address hide it from a plain pattern, %40 is @ in a URL
    r"(?<![\w.+%\-])(?!['`{|])[\w.!#$%&'*+/?^`{|}~\u200b-\u200d\u2060\ufeff\-]{1,64}(?:[@＠]|%40)"
    r"(?:[\w\u200b-\u200d\u2060\ufeff\-]{1,63}[.．])+[^\W\d_][\w\u200b-\u200d\u2060\ufeff]{1,62}"
)
CARD: Final = (
    r"(?<![\w.\-])(?:4\d{3}|5[1-5]\d{2}|2[2-7]\d{2}|6(?:011|5\d{2}|4[4-9]\d|2\d{2})|35\d{2})"
    r"(?:[ \-]?\d{4}){3}(?![\w\-])|(?<![\w.\-])3[47]\d{2}[ \-]?\d{6}[ \-]?\d{5}(?![\w\-])"
)
_DAY: Final = (
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})|"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?"
    r"\s+\d{4}|\d{1,2}(?:st|nd|rd|th)?\s+(?:of\s+)?"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?,?\s+\d{4})"
)
_BORN: Final = r"(?:\bborn|birth\s?date|birthday|date of birth|\bd\.?o\.?b\b\.?)"
_PHONE: Final = (
    # of any country; seldom a phone by itself, so a word that says so must stand near
    r"(?<![\w$€£./\-+])(?<!\d,)(?:\+|00)?\(?\d{1,5}\)?(?:[ .\-]?\(?\d{1,5}\)?){1,5}(?<=\d)"
    r"(?:\s?(?:x|ext\.?)\s?\d{1,6})?(?!\w|[.,/]\d|\s?[%€$£])"
)

SECRETS: Final[Sequence[tuple[str, str]]] = (
    ("aws_access_key", r"\b(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}\b"),
    ("aws_secret", r"(?<=(?i:aws.{0,20}secret.{0,20}['\"=: ]{1,4}))[A-Za-z0-9/+=]{40}\b"),
    ("github_token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b"),
    ("gitlab_token", r"\bglpat-[A-Za-z0-9_\-]{20,}"),
    ("slack_token", r"\bxox[abeoprs]-[A-Za-z0-9\-]{10,}"),
    ("google_key", r"\bAIza[0-9A-Za-z_\-]{35}"),
    ("provider_key", r"\b(?:sk|rk|pk)[-_](?:live_|test_|ant-|proj-|or-)?[A-Za-z0-9_\-]{20,}"),
    ("jwt", r"\beyJ[A-Za-z0-9_\-]{5,}\.eyJ[A-Za-z0-9_\-]{5,}\.[A-Za-z0-9_\-]*"),
    (
        "pem",
        r"-----BEGIN [A-Z ]{0,30}(?:PRIVATE KEY|CERTIFICATE)-----"
        r"(?:[\s\S]{1,20000}?-----END [A-Z ]{0,40}-----|[\s\S]{0,20000})",
    ),
    ("bearer", r"(?<=(?i:\b(?:bearer|basic)\s+))(?=[^\s]{0,80}[\d=])[A-Za-z0-9._~+/\-]{16,}=*"),
    (
        "url_credentials",
        r"\b[a-zA-Z][a-zA-Z0-9+.\-]{1,20}://[^\s/:@\"']{0,80}:[^\s/@\"']{1,200}@[^\s\"'<>]+",
    ),
    ("account_key", r"(?i:\b(?:AccountKey|SharedAccessKey|SharedAccessSignature)=)[^\s;\"']{16,}"),
    (
        "assigned",
        r"(?<=(?i:\b(?:password|passwd|pwd|passphrase|api[_\-]?key|secret[_\-]?key|client[_\-]?secret|"
        r"access[_\-]?token|auth[_\-]?token)\b['\"]?\s{0,3}(?:[:=]|\bis\b)\s{0,3}['\"]?))"
        r"(?=[^\s'\"]{0,100}[\d!@#$%^&*])[^\s'\",;]{6,}",
    ),
)
PATTERNS: Final[Sequence[tuple[str, str, str, float]]] = (
    ("email", "EMAIL_ADDRESS", _EMAIL, 1.0),
    ("birth_date", "DATE_OF_BIRTH", rf"(?i)(?<={_BORN}[^\d\n]{{0,25}}?)\b{_DAY}\b", 0.9),
    (
        "us_ssn",
        "US_SSN",
        r"(?<![\w\-])(?!000|666|9\d\d)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\w\-])",
        1.0,
    ),
    (
        "titled",
        "PERSON",
        r"(?<=\b(?:Mr|Mrs|Ms|Mx|Dr\.|Prof|Herr|Frau)\.?[ ])"
        r"\p{Lu}[\p{L}'’\-]+(?:[ ]\p{Lu}[\p{L}'’\-]+)?",
        0.9,
    ),
    ("phone", "PHONE_NUMBER", _PHONE, 0.3),
)
SURROGATE_LIKE: Final = r"\b[A-Z]+(?:_[A-Z]+)*_[BCDFGHJKLMNPQRSTVWXZ]{12}(?![A-Za-z0-9])"
