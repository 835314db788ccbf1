"""What the attributes of a trace, merged, say of it as a whole: whose, which release, consent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from pipeline.ingest.content import loads
from pipeline.ingest.dialects.aliases import (
    AGENT_NAME,
    AGENT_VERSION,
    ENVIRONMENT,
    METADATA,
    OPT_OUT,
    POLICY,
    PROMPT,
    RELEASE,
    SERVICE,
    SESSION,
    USER,
)
from pipeline.ingest.dialects.lookup import first_text

__all__ = ["Labels", "is_unnamed", "label_names", "labels_of", "session_of", "user_of"]

# Names of one's own choosing, within any of the METADATA places.
_SESSION = ("session_id", "sessionId", "session.id", "langfuse_session_id")
_THREAD = ("thread_id", "threadId", "conversation_id", "conversationId", "chat_id", "chatId")
_USER = ("user_id", "userId", "user.id", "langfuse_user_id")
_RELEASE = ("release", "app_version", "appVersion", "revision", "git_sha", "commit")
_PROMPT = ("prompt_version", "promptVersion", "prompt.version")
_POLICY = ("policy_version", "policyVersion", "policy.version")
_ENVIRONMENT = ("environment", "env", "deployment_environment")
_AGENT = ("agent_name", "agentName", "agent")
_AGENT_VERSION = ("agent_version", "agentVersion")
_OPT_OUT = ("opt_out", "opted_out", "optOut", "user_opt_out", "user.opt_out")
_ROOTS = tuple(name + "." for name in METADATA)
_READ = frozenset(
    (
        *SESSION,
        "langsmith.trace.session_name",
        *USER,
        *SERVICE,
        *AGENT_NAME,
        *AGENT_VERSION,
        *RELEASE,
        *PROMPT,
        *POLICY,
        *ENVIRONMENT,
        *OPT_OUT,
        *METADATA,
    )
)
_YES = (True, 1, "true", "True", "TRUE", "1", "yes")


class Labels(msgspec.Struct, frozen=True):
    """What is said of a trace as a whole, named as in `Trace`; None where nothing says it."""

    session_id: str | None = None
    user_id: str | None = None
    service: str | None = None
    agent_name: str | None = None
    agent_version: str | None = None
    release: str | None = None
    prompt_version: str | None = None
    policy_version: str | None = None
    environment: str | None = None
    opted_out: bool = False


def session_of(values: Mapping[str, Any]) -> str | None:
    """The conversation that a trace belongs to, out of its merged attributes.

    `langsmith.trace.session_id` counts only where no `langsmith.trace.session_name` stands beside
    it: LangSmith's own exporter writes the project there, which would join all conversations of
    a project into one.
    """
    stated = first_text(values, _stated(tuple(values)).session)
    return stated if stated is not None else _told(values, (*_SESSION, *_THREAD))


def user_of(values: Mapping[str, Any]) -> str | None:
    """The end user of a trace, out of its merged attributes."""
    stated = first_text(values, _stated(tuple(values)).user)
    return stated if stated is not None else _told(values, _USER)


def is_unnamed(service: Any) -> bool:
    """Whether this is what OpenTelemetry's SDKs call a service that nobody named."""
    return isinstance(service, str) and service.partition(":")[0] == "unknown_service"


def labels_of(values: Mapping[str, Any]) -> Labels:
    """Whose a trace is and its labels, out of its merged attributes (resource and spans)."""
    there = _stated(tuple(values))
    beside = _metadata(values)

    def named(names: Sequence[str], own: Sequence[str] = ()) -> str | None:
        stated = first_text(values, names) if names else None
        return stated if stated is not None or not beside else _first_of(beside, own)

    opted_out = [values.get(name) for name in there.opt_out]
    opted_out += [place.get(name) for place in beside for name in _OPT_OUT]
    return Labels(
        session_id=named(there.session, (*_SESSION, *_THREAD)),
        user_id=named(there.user, _USER),
        service=named([name for name in there.service if not is_unnamed(values.get(name))]),
        agent_name=named(there.agent_name, _AGENT),
        agent_version=named(there.agent_version, _AGENT_VERSION),
        release=named(there.release, _RELEASE),
        prompt_version=named(there.prompt, _PROMPT),
        policy_version=named(there.policy, _POLICY),
        environment=named(there.environment, _ENVIRONMENT),
        opted_out=any(_yes(value) for value in opted_out),
    )


def label_names(names: Iterable[str]) -> tuple[str, ...]:
    """Of the names of attributes those that `labels_of` reads."""
    return tuple(name for name in names if name in _READ or name.startswith(_ROOTS))


class _Stated(NamedTuple):
    """Of every table the names that are there, in the table's order."""

    session: tuple[str, ...]
    user: tuple[str, ...]
    service: tuple[str, ...]
    agent_name: tuple[str, ...]
    agent_version: tuple[str, ...]
    release: tuple[str, ...]
    prompt: tuple[str, ...]
    policy: tuple[str, ...]
    environment: tuple[str, ...]
    opt_out: tuple[str, ...]
    metadata: bool


@lru_cache(maxsize=4096)
def _stated(keys: tuple[str, ...]) -> _Stated:
    """Spans of one kind carry the same names: looking each alias up once for all of them."""
    there = frozenset(keys)
    session: Iterable[str] = SESSION
    if "langsmith.trace.session_name" in there:
        session = [name for name in SESSION if name != "langsmith.trace.session_id"]

    def told(table: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in table if name in there)

    return _Stated(
        session=told(session),
        user=told(USER),
        service=told(SERVICE),
        agent_name=told(AGENT_NAME),
        agent_version=told(AGENT_VERSION),
        release=told(RELEASE),
        prompt=told(PROMPT),
        policy=told(POLICY),
        environment=told(ENVIRONMENT),
        opt_out=told(OPT_OUT),
        metadata=any(key in METADATA or key.startswith(_ROOTS) for key in keys),
    )


def _told(values: Mapping[str, Any], names: Sequence[str]) -> str | None:
    return _first_of(_metadata(values), names)


def _first_of(places: Iterable[Mapping[str, Any]], names: Sequence[str]) -> str | None:
    found = (first_text(place, names) for place in places)
    return next((value for value in found if value is not None), None)


def _metadata(values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The places where people put names of their own: structures, JSON text or dotted names."""
    if not _stated(tuple(values)).metadata:
        return []
    places: dict[str, dict[str, Any]] = {}
    for key in values:
        if key.startswith(_ROOTS):
            place = next(name for name in METADATA if key.startswith(name + "."))
            places.setdefault(place, {})[key[len(place) + 1 :]] = values[key]
    for name in METADATA:
        whole = loads(values.get(name))
        if isinstance(whole, Mapping):
            places[name] = {**whole, **places.get(name, {})}
    return [places[name] for name in METADATA if name in places]


def _yes(value: Any) -> bool:
    return isinstance(value, bool | int | str) and value in _YES
