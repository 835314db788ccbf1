"""Rules about records: which of them a tool may be called for, and what it may change of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from pipeline.grading.conversation import Call, Conversation, Turn
from pipeline.grading.rules.kinds import PASS, SKIPPED, Finding, Scope, checks, failed, search
from pipeline.grading.rules.reading import (
    before,
    calls_of,
    plain,
    record_before,
    said_before,
    values_at,
    values_under,
)
from pipeline.registry.rules import Condition, Eligibility, KeptFields

__all__: list[str] = []


@checks(Eligibility)
def eligibility(conversation: Conversation, params: Eligibility, scope: Scope) -> Finding:
    """The record that each call of the tools is about meets one of the conditions.

    A call before any look-up told of the record is not judged here (see the kind `tool_order`).
    """
    seen = False
    for turn, call in calls_of(conversation, params.tools):
        records = _records(conversation, call, params.same, params.tools)
        if not records:
            continue
        seen = True
        if not any(_holds(c, records, conversation, turn) for c in params.any_of):
            return failed(
                "A tool was called for a record that meets none of the rule's conditions.",
                call.ref,
                subject=call.name,
                error_class="not_eligible",
            )
    return PASS if seen else SKIPPED


@checks(KeptFields)
def kept_fields(conversation: Conversation, params: KeptFields, scope: Scope) -> Finding:
    """Each call of the tools leaves the named fields as the record has them.

    The order of a list does not matter. An argument that a call leaves out changes nothing.
    """
    seen = False
    for turn, call in calls_of(conversation, params.tools):
        record = record_before(conversation, call, params.same, params.tools)
        if record is None:
            continue
        if params.when and not any(_holds(c, [record], conversation, turn) for c in params.when):
            continue
        seen = True
        changed = _changed(call, record, params)
        if changed:
            return failed(
                "A tool was called to change something that has to stay as it is.",
                call.ref,
                subject=f"{call.name}.{changed}",
                error_class="changed",
            )
    return PASS if seen else SKIPPED


def _changed(call: Call, record: dict[str, Any], params: KeptFields) -> str | None:
    """The first field that the call would change although it may not."""
    for path in params.keep:
        wanted, known = (sorted(map(_form, values_at(v, path))) for v in (call.arguments, record))
        if wanted and known and wanted != known:
            return path
    for path in params.keep_length:
        wanted, known = values_at(call.arguments, path), values_at(record, path)
        if wanted and known and len(wanted) != len(known):
            return path
    for path in params.not_less:
        for new, old in zip(values_at(call.arguments, path), values_at(record, path), strict=False):
            if isinstance(new, int | float) and isinstance(old, int | float) and new < old:
                return path
    return None


def _form(value: Any) -> str:
    """A value as text, in which 20 and 20.0 are one."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return repr(float(value)) if number else str(value)


def _records(
    conversation: Conversation, call: Call, same: str | None, writes: tuple[str, ...]
) -> list[Any]:
    if same is not None:
        record = record_before(conversation, call, same, writes)
        return [record] if record is not None else []
    return [c.result for c in before(conversation, call) if not c.failed and c.result is not None]


def _holds(
    condition: Condition, records: Sequence[Any], conversation: Conversation, turn: Turn
) -> bool:
    if condition.said:
        words = "\n".join(text for text, by_user in said_before(conversation, turn) if by_user)
        if not any(search(pattern, words) for pattern in condition.said):
            return False
    if condition.field is None:
        return True
    field = condition.field
    values = [v for r in records for v in (values_at(r, field) or values_under(r, field))]
    if condition.one_of and not {plain(v) for v in values} & set(map(plain, condition.one_of)):
        return False
    today, days = conversation.started_on, condition.within_days
    return days is None or any(_is_within(value, today, days) for value in values)


def _is_within(value: Any, today: date | None, days: int) -> bool:
    try:
        return today is not None and 0 <= (today - date.fromisoformat(str(value)[:10])).days <= days
    except ValueError:
        return False
