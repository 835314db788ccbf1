"""Ids of one shape: what `user_id: usr_4471` says of `usr_9920` elsewhere in the trace."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.redaction.known.values import KnownValue
from pipeline.redaction.notation.json_text import Leaf
from pipeline.redaction.policy.model import PiiPolicy, squeeze

__all__ = ["find_alike"]

_IDS: Final = frozenset({"USER_ID", "PAYMENT_ID"})
_SHAPED: Final = re.compile(
    r"(?P<prefix>[A-Za-z]{1,20}(?:[_\-.:][A-Za-z]{1,20})*[_\-.:])(?P<n>\d{3,})"
)
_NAMES_A_THING: Final = re.compile(r"(?:id|no|number|code|ref|reference|key|sku)$")


def find_alike(
    found: Sequence[Leaf], known: Iterable[KnownValue], policy: PiiPolicy
) -> set[KnownValue]:
    """Find ids of the same shape as the known ones: same words, as many digits.

    A shape is a prefix of words and at least three digits (`usr_4471`, `acct-00912`). Where
    a key that names a thing (`order_id`, `tracking_number`) holds a value of that shape, the
    shape does not tell a person from a thing, and nothing is learned from it.

    Args:
        found: the leaves of the record.
        known: what it states under telling keys.
        policy: names those keys.
    """
    shapes: dict[str, str] = {}
    for value in known:
        if value.entity in _IDS and value.sure and (m := _SHAPED.fullmatch(value.value)):
            shape = rf"{re.escape(m['prefix'].casefold())}\d{{{len(m['n'])}}}"
            shapes.setdefault(shape, value.entity)
    if not shapes:
        return set()
    texts = [(leaf.path, str(leaf.value)) for leaf in found]
    for path, text in texts:
        if path and _is_thing(path[-1], policy):
            for shape in [s for s in shapes if re.fullmatch(s, text.casefold())]:
                del shapes[shape]
    ids: set[KnownValue] = set()
    for shape, entity in shapes.items():
        pattern = re.compile(rf"(?<![A-Za-z0-9_]){shape}(?![A-Za-z0-9_])", re.IGNORECASE)
        for text in {text for _, text in texts}:
            ids |= {KnownValue(entity, match, sure=False) for match in pattern.findall(text)}
    stated = {(value.entity, value.value) for value in known}
    return {one for one in ids if (one.entity, one.value) not in stated}


def _is_thing(key: str, policy: PiiPolicy) -> bool:
    short = squeeze(key)
    if short == "id" or short in policy.entity_of_key:
        return False
    return short in policy.quiet_keys or bool(_NAMES_A_THING.search(short))
