"""Redaction: personal data out, keyed surrogates in, before any later stage sees a trace."""

from pipeline.redaction.policy.fields import TRACE_FIELDS, FieldPolicy
from pipeline.redaction.policy.model import PiiPolicy, PolicyRefused
from pipeline.redaction.policy.reading import load_policy
from pipeline.redaction.redactor import Redaction, Redactor
from pipeline.redaction.replacement.keys import (
    CONTENT_KEY_VARIABLE,
    SURROGATE_KEY_VARIABLE,
    KeyRefused,
    SurrogateKey,
    load_key,
)
from pipeline.redaction.replacement.rotation import (
    SCHEME,
    require_declared,
    require_one_scheme,
    scheme_in,
)
from pipeline.redaction.replacement.schemes import make_names
from pipeline.redaction.replacement.surrogates import SURROGATE, Names
from pipeline.redaction.traces import redact_traces

__all__ = [
    "CONTENT_KEY_VARIABLE",
    "SCHEME",
    "SURROGATE",
    "SURROGATE_KEY_VARIABLE",
    "TRACE_FIELDS",
    "FieldPolicy",
    "KeyRefused",
    "Names",
    "PiiPolicy",
    "PolicyRefused",
    "Redaction",
    "Redactor",
    "SurrogateKey",
    "load_key",
    "load_policy",
    "make_names",
    "redact_traces",
    "require_declared",
    "require_one_scheme",
    "scheme_in",
]
