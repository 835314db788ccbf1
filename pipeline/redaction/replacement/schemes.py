"""Which surrogates are made: by which key, of which style, and where equal values are equal."""

from __future__ import annotations

from pipeline.ids import digest
from pipeline.redaction.policy.model import Replacement
from pipeline.redaction.replacement.formats import FormatPreserving
from pipeline.redaction.replacement.keys import SurrogateKey
from pipeline.redaction.replacement.surrogates import Names, Surrogates

__all__ = ["make_names", "scheme_of"]


def make_names(replacement: Replacement, key: SurrogateKey, trace_id: str = "") -> Names:
    """Make what gives the values of one trace their surrogates.

    Args:
        replacement: scope and style, of the policy.
        key: the surrogate key.
        trace_id: the trace; it does not matter where the scope is the dataset.
    """
    scope = trace_id if replacement.scope == "trace" else ""
    typed = Surrogates(key, scope)
    formatted = {e for e, style in replacement.styles.items() if style == "format_preserving"}
    if replacement.style == "typed" and not formatted:
        return typed
    exceptions = {e for e, style in replacement.styles.items() if style == "typed"}
    only = None if replacement.style == "format_preserving" else frozenset(formatted)
    return FormatPreserving(key, scope, typed, only, frozenset(exceptions))


def scheme_of(replacement: Replacement, key: SurrogateKey) -> str:
    """Name the key and what is made with it; partitions of different names must not mix.

    The key's id alone where surrogates are typed and hold in the whole dataset; else with what
    is different, such as `0f3a...-trace-format_preserving`.
    """
    parts = [key.key_id]
    if replacement.scope != "dataset":
        parts.append(replacement.scope)
    if replacement.style != "typed":
        parts.append(replacement.style)
    if replacement.styles:
        parts.append(digest(dict(sorted(replacement.styles.items())), size=3))
    return "-".join(parts)
