"""A conversation as traces of OTLP spans: turns, pauses, roots and the user's feedback."""

from __future__ import annotations

import random
from collections.abc import Mapping

from .call_spans import MS, Recorder
from .otlp import Meeting, Span, attributes
from .plan import Channel
from .scene import Scene


def _pause(rng: random.Random, channel: Channel) -> int:
    """Seconds between an answer and the customer's next message, under 30 minutes."""
    if channel == "app" and rng.random() < 0.06:
        return rng.randint(600, 1500)
    return rng.randint(12, 240 if channel == "app" else 95)


def record(scene: Scene, meeting: Meeting) -> list[Span]:
    """All spans of a conversation.

    On the web the conversation is one trace under an `invoke_workflow` root; in the app and for
    partners every turn is a trace of its own with an `invoke_agent` root, joined by the
    conversation id.
    """
    r = Recorder(scene, meeting)
    web = meeting.channel == "web"
    identity = {
        "gen_ai.conversation.id": meeting.conversation_id,
        "session.id": meeting.session_id,
        "user.id": scene.who.user_id,
        "user.opt_out": True if scene.who.opt_out else None,
        "app.channel": meeting.channel,
        "app.prompt.version": meeting.release.prompt_version,
        "app.policy.version": meeting.release.policy_version,
    }
    event = {
        "gen_ai.evaluation.name": "user_feedback",
        "gen_ai.evaluation.score.value": 1.0 if meeting.feedback == "positive" else 0.0,
        "gen_ai.evaluation.score.label": meeting.feedback,
    }
    root = r.span_id() if web else ""
    for number, turn in enumerate(scene.turns):
        last = number == len(scene.turns) - 1
        if not web:
            r.trace = meeting.trace_ids[number]
        if number:
            r.now += _pause(r.rng, meeting.channel) * 1000 * MS
        start, agent = r.now, r.span_id()
        r.history.append({"role": "user", "parts": [{"type": "text", "content": turn.user}]})
        r.now += 20 * MS
        for call in turn.calls:
            r.tool(agent, call)
        r.chat(agent, [{"type": "text", "content": turn.answer}], turn.finish)
        r.now += 8 * MS
        feedback = [_event(event, r.now)] if meeting.feedback and last and not web else []
        r.close(
            "invoke_agent parcelry-support",
            agent,
            root,
            start,
            {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.provider.name": "openai",
                "gen_ai.agent.name": "parcelry-support",
                "gen_ai.agent.id": "parcelry-support",
                "gen_ai.agent.version": meeting.release.version,
                "gen_ai.request.model": meeting.release.model,
                "gen_ai.output.type": "json" if meeting.channel == "api" else "text",
                **identity,
            },
            events=feedback,
        )
    if web:
        r.now += 15 * MS
        r.close(
            "invoke_workflow support_chat",
            root,
            "",
            meeting.start_ns,
            {
                "gen_ai.operation.name": "invoke_workflow",
                "gen_ai.workflow.name": "support_chat",
                **identity,
            },
            events=[_event(event, r.now)] if meeting.feedback else [],
        )
    return r.spans


def _event(values: Mapping[str, object], at_ns: int) -> dict[str, object]:
    return {
        "timeUnixNano": str(at_ns),
        "name": "gen_ai.evaluation.result",
        "attributes": attributes(values),
    }
