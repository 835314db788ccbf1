"""Whose trace it is, of which release, and whether the user wants to be left out."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.ingest.dialects import labels_of, session_of, user_of


@pytest.mark.parametrize(
    "values",
    [
        {"session.id": "s", "gen_ai.conversation.id": "c"},
        {"gen_ai.conversation.id": "s"},
        {"traceloop.association.properties.session_id": "s"},
        {"ai.telemetry.metadata.threadId": "s"},
        {"ai.telemetry.metadata.sessionId": "s"},
        {"langsmith.metadata.thread_id": "s"},
        {"langsmith.trace.session_id": "s"},
        {"mlflow.trace.session": "s"},
        {"conversation.id": "s"},
        {"thread_id": "s"},
        {"metadata": '{"session_id": "s", "thread_id": "t"}'},
        {"metadata": {"conversation_id": "s"}},
        {"langfuse.trace.metadata.sessionId": "s"},
        {"langfuse.trace.metadata": '{"thread_id": "s"}'},
        {"traceloop.association.properties.chat_id": "s"},
    ],
)
def test_session(values: dict[str, Any]) -> None:
    assert session_of(values) == "s"


def test_a_langsmith_project_is_no_session() -> None:
    values = {"langsmith.trace.session_id": "p1", "langsmith.trace.session_name": "default"}
    assert session_of(values) is None
    assert session_of(values | {"langsmith.metadata.session_id": "s"}) == "s"


@pytest.mark.parametrize(
    "values",
    [
        {"user.id": "u", "langfuse.user.id": "x"},
        {"gen_ai.request.user": "u"},
        {"langsmith.metadata.user_id": "u"},
        {"metadata": '{"userId": "u"}'},
        {"ai.telemetry.metadata.userId": "u"},
        {"langfuse.trace.metadata.user_id": "u"},
        {"enduser.id": "u"},
    ],
)
def test_user(values: dict[str, Any]) -> None:
    assert user_of(values) == "u"


def test_numbers_are_ids_and_structures_are_not() -> None:
    assert session_of({"session.id": 42}) == "42"
    assert session_of({"session.id": {"a": 1}, "session_id": ["x"]}) is None
    assert user_of({"user.id": " "}) is None


def test_labels_from_their_own_names_and_from_metadata() -> None:
    told = labels_of(
        {
            "service.name": "shop",
            "service.version": "1.4",
            "gen_ai.agent.name": "support",
            "deployment.environment.name": "prod",
            "metadata": '{"prompt_version": 7, "opt_out": "true", "policy_version": "p2"}',
        }
    )
    assert (told.service, told.release, told.agent_name) == ("shop", "1.4", "support")
    assert (told.environment, told.prompt_version, told.policy_version) == ("prod", "7", "p2")
    assert told.opted_out


@pytest.mark.parametrize("value", [True, 1, "true", "True"])
def test_opting_out(value: Any) -> None:
    assert labels_of({"user.opt_out": value}).opted_out
    assert labels_of({"langsmith.metadata.opt_out": value}).opted_out


@pytest.mark.parametrize("value", [False, 0, "false", "no", None, [], {}])
def test_not_opting_out(value: Any) -> None:
    assert not labels_of({"user.opt_out": value}).opted_out
