"""A case as exports see it: read from the suite's files, checked, and never changed by them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pipeline.ids import canonical_json
from pipeline.promotion import Check, read_checks
from pipeline.suite import SuiteFileError, parse_suite
from pipeline.suite.store import BY_HAND, FROM_PROD

__all__ = ["BY_HAND", "FROM_PROD", "Case", "ExportError", "case_of", "read_cases"]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_ROLES = ("system", "user", "assistant", "tool")


class ExportError(ValueError):
    """The suite cannot be exported as it is; nothing was written."""


@dataclass(frozen=True)
class Case:
    """One case: `body` is all of it but the pipeline's own notes, `checks` are read from it.

    `messages` are chat messages of the suite (role, content, tool_calls, tool_call_id, name), the
    last one of a user; `fixtures` are calls of tools in order (name, arguments, result, status)
    and `documents` searches (query, documents), all up to the end of the recorded turn.
    """

    case_id: str
    split: str
    status: str
    messages: tuple[Mapping[str, Any], ...]
    checks: tuple[Check, ...]
    fixtures: tuple[Mapping[str, Any], ...]
    documents: tuple[Mapping[str, Any], ...]
    body: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A field of the case that is a text; empty where it is missing or none."""
        value = self.body.get(name)
        return value if isinstance(value, str) else ""

    def part(self, *names: str) -> Mapping[str, Any]:
        """A field that is a mapping, by its path; empty where it is missing or none."""
        value: object = self.body
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value if isinstance(value, Mapping) else {}

    @property
    def title(self) -> str:
        """What a report calls the case."""
        return self.text("title") or self.case_id

    @property
    def decidable(self) -> bool:
        """Whether any check can be decided without a judge."""
        return any(check.kind != "rubric" for check in self.checks)


def read_cases(from_prod: str | None, by_hand: str | None) -> tuple[Case, ...]:
    """Read both files of the suite, in the order of the ids.

    Args:
        from_prod: the text of `cases_from_prod.yaml`, or None where there is none.
        by_hand: the text of `cases_by_hand.yaml`, or None.

    Raises:
        ExportError: naming the file, the case and what is wrong with it.
    """
    found: dict[str, Case] = {}
    for name, text in ((FROM_PROD, from_prod), (BY_HAND, by_hand)):
        try:
            bodies = parse_suite(text)
        except SuiteFileError as error:
            raise ExportError(f"{name} cannot be read: {error.why}") from None
        for number, body in enumerate(bodies.values(), 1):
            case = case_of(body, f"{name}: case number {number}")
            if case.case_id in found:
                raise ExportError(
                    f"{name}: the id {case.case_id!r} stands in {FROM_PROD} too; give it another"
                )
            found[case.case_id] = case
    return tuple(found[case_id] for case_id in sorted(found))


def case_of(body: Mapping[str, Any], place: str) -> Case:
    """Read one case; `place` says in errors where it stands.

    Raises:
        ExportError: it cannot be run or carried to another tool as it is.
    """
    case_id = body.get("id")
    if not isinstance(case_id, str) or not _ID.fullmatch(case_id):
        raise ExportError(
            f"{place}: its id has to be letters, digits, '.', '_' and '-', 200 at the most"
        )
    place = f"{place} ({case_id})"
    body = {name: value for name, value in body.items() if name != "generated"}
    try:
        canonical_json(body)
    except TypeError:
        raise ExportError(
            f"{place}: holds what JSON cannot (binary, a set, 2**64); quote it"
        ) from None
    tools = body.get("tools")
    tools = tools if isinstance(tools, Mapping) else {}
    split, status = body.get("split", "regression"), body.get("status", "active")
    if not isinstance(split, str) or not isinstance(status, str):
        raise ExportError(f"{place}: split and status are texts")
    return Case(
        case_id,
        split,
        status,
        _messages(body.get("input"), place),
        _checks(body.get("checks"), place),
        _mappings(tools.get("fixtures"), f"{place}: tools.fixtures"),
        _mappings(tools.get("documents"), f"{place}: tools.documents"),
        body,
    )


def _messages(given: object, place: str) -> tuple[Mapping[str, Any], ...]:
    """The messages; a text alone is what the user says."""
    if isinstance(given, str):
        return ({"role": "user", "content": given},)
    raw = given.get("messages") if isinstance(given, Mapping) else None
    found = _mappings(raw, f"{place}: input.messages")
    for message in found:
        content = message.get("content")
        if message.get("role") not in _ROLES or not isinstance(content, str | None):
            raise ExportError(f"{place}: a message needs a role ({', '.join(_ROLES)}) and a text")
        asked = _mappings(message.get("tool_calls"), f"{place}: tool_calls of a message")
        if not all(isinstance(call.get("name"), str) for call in asked):
            raise ExportError(f"{place}: a call in tool_calls has no name")
    if not found or found[-1]["role"] != "user":
        raise ExportError(f"{place}: its input has to end with a message of the user")
    return found


def _checks(given: object, place: str) -> tuple[Check, ...]:
    try:
        return read_checks(given if given is not None else ())
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        where = ".".join(str(part) for part in ("checks", *first["loc"]))
        raise ExportError(f"{place}: {where}: {first['type'].replace('_', ' ')}") from None


def _mappings(given: object, place: str) -> tuple[Mapping[str, Any], ...]:
    if given is None:
        return ()
    if not isinstance(given, Sequence) or not all(isinstance(one, Mapping) for one in given):
        raise ExportError(f"{place}: is no list of mappings")
    return tuple(given)
