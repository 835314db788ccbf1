"""Rules about records: which of them a tool may be called for, and what it may change of them."""

from __future__ import annotations

from typing import Any

from pipeline.grading.conversation import Call, Conversation, Message
from pipeline.grading.rules.conditions import Conditions
from pipeline.grading.rules.kinds import PASS, SKIPPED, Finding, Scope, checks, failed
from pipeline.grading.rules.reading import Records, steps, values_at
from pipeline.registry.rules import Eligibility, KeptFields

__all__: list[str] = []


@checks(Eligibility)
def eligibility(conversation: Conversation, params: Eligibility, scope: Scope) -> Finding:
    """The record that each call of the tools is about meets one of the conditions.

    A call before any look-up told of the record is not judged here (see the kind `tool_order`).
    """
    seen = False
    conditions = Conditions(params.any_of, conversation.started_on)
    records = Records(params.same, params.tools) if params.same else None
    for step in steps(conversation):
        if isinstance(step, Message):
            conditions.hear(step)
            continue
        record = records.of(step) if records else None
        known = record is not None if records else conditions.looked
        if step.name in params.tools and known:
            seen = True
            if not conditions.met(record):
                return failed(
                    "A tool was called for a record that meets none of the rule's conditions.",
                    step.ref,
                    subject=step.name,
                    error_class="not_eligible",
                )
        if records:
            records.add(step)
        elif not step.failed and step.result is not None:
            conditions.look(step.result)
    return PASS if seen else SKIPPED


@checks(KeptFields)
def kept_fields(conversation: Conversation, params: KeptFields, scope: Scope) -> Finding:
    """Each call of the tools leaves the named fields as the record has them.

    The order of a list does not matter. An argument that a call leaves out changes nothing.
    """
    seen = False
    conditions = Conditions(params.when, conversation.started_on)
    records = Records(params.same, params.tools)
    for step in steps(conversation):
        if isinstance(step, Message):
            conditions.hear(step)
            continue
        record = records.of(step) if step.name in params.tools else None
        if record is not None and (not params.when or conditions.met(record)):
            seen = True
            changed = _changed(step, record, params)
            if changed:
                return failed(
                    "A tool was called to change something that has to stay as it is.",
                    step.ref,
                    subject=f"{step.name}.{changed}",
                    error_class="changed",
                )
        records.add(step)
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
