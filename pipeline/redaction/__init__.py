"""Redaction: personal data out, keyed surrogates in, before any later stage sees a trace."""

from pipeline.redaction.fields import TRACE_FIELDS, FieldPolicy
from pipeline.redaction.keys import (
    CONTENT_KEY_VARIABLE,
    SURROGATE_KEY_VARIABLE,
    KeyRefused,
    SurrogateKey,
    load_key,
)
from pipeline.redaction.policy import PiiPolicy, PolicyRefused
from pipeline.redaction.policy_file import load_policy
from pipeline.redaction.redactor import Redaction, Redactor
from pipeline.redaction.rotation import SCHEME, require_declared, require_one_scheme, scheme_in
from pipeline.redaction.schemes import make_names
from pipeline.redaction.surrogates import SURROGATE, Names
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
