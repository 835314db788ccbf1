"""Known-answer test: real conversations, and the true personal values of everyone in them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.redaction import FieldPolicy, PiiPolicy, Redaction, Redactor, SurrogateKey

FIELDS = FieldPolicy(
    verbatim=frozenset(
        {
            "messages.*.role",
            "messages.*.name",
            "messages.*.tool_call_id",
            "messages.*.tool_calls.*.id",
            "messages.*.tool_calls.*.type",
            "messages.*.tool_calls.*.function.name",
        }
    )
)
Run = tuple[dict[str, Any], Redaction]


@pytest.fixture(scope="module")
def runs(shared_data: Path, policy: PiiPolicy, key: SurrogateKey) -> list[Run]:
    """One trial of each task with an even number: 13 conversations."""
    recorded = json.loads((shared_data / "tau-bench/gpt-4o-airline.tasks00-24.json").read_text())
    records = [
        {"messages": run["traj"]}
        for run in recorded
        if run["task_id"] % 2 == 0 and run["trial"] == 0
    ]
    redactions = Redactor(policy, key, fields=FIELDS).redact_many(records)
    return list(zip(records, redactions, strict=True))


@pytest.fixture(scope="module")
def users(shared_data: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        (shared_data / "tau-bench/envs-airline-users.json").read_text()
    )
    return loaded


def true_values(user_id: str, user: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "user id", user_id
    yield "e-mail", user["email"]
    yield "street", user["address"]["address1"]
    yield "zip", user["address"]["zip"]
    for payment in user["payment_methods"]:
        yield "payment id", payment.rpartition("_")[2]  # the number alone, found inside ids too
    for person in (user["name"] | {"dob": user["dob"]}, *user["saved_passengers"]):
        yield "birth date", person["dob"]
        yield "name", f"{person['first_name']} {person['last_name']}"
        yield "name", f"{person['first_name']}_{person['last_name']}"


def test_no_true_value_is_left(runs: list[Run], users: dict[str, Any]) -> None:
    present: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for record, redaction in runs:
        before = json.dumps(record, ensure_ascii=False).casefold()
        after = json.dumps(redaction.value, ensure_ascii=False).casefold()
        for user_id, user in users.items():
            for kind, value in true_values(user_id, user):
                if value.casefold() in before:
                    present[kind] += 1
                    left[kind] += value.casefold() in after
    assert set(present) == {
        *("user id", "e-mail", "street", "zip", "payment id", "birth date", "name")
    }
    assert sum(left.values()) == 0, dict(left)


def test_nothing_is_quarantined_and_the_structure_stays(runs: list[Run]) -> None:
    for record, redaction in runs:
        assert redaction.failure is None
        value: Any = redaction.value
        for before, after in zip(record["messages"], value["messages"], strict=True):
            assert before.keys() == after.keys()
            assert before["role"] == after["role"]
            assert before.get("name") == after.get("name")
            for old, new in zip(
                before.get("tool_calls") or (), after.get("tool_calls") or (), strict=True
            ):
                assert old["function"]["name"] == new["function"]["name"]
                old_arguments = json.loads(old["function"]["arguments"])
                assert old_arguments.keys() == json.loads(new["function"]["arguments"]).keys()


def test_what_graders_read_stays(runs: list[Run]) -> None:
    """Flight numbers, reservations and amounts: all of them, in every conversation."""
    kept = re.compile(r"\bHAT\d{3}\b|\$\d[\d,.]*|\"reservation_id\": \"\w{6}\"")
    for record, redaction in runs:
        before = kept.findall(json.dumps(record))
        assert before
        assert kept.findall(json.dumps(redaction.value)) == before
