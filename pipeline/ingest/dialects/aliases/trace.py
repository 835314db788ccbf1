"""What is said of the trace: whose it is, its labels, and verdicts on it."""

from __future__ import annotations

__all__ = [
    "AGENT_NAME",
    "AGENT_VERSION",
    "ENVIRONMENT",
    "INDEXED_SCORES",
    "METADATA",
    "OPT_OUT",
    "POLICY",
    "PROMPT",
    "RELEASE",
    "SERVICE",
    "SESSION",
    "USER",
]

# Verdicts on the span, and on its trace or session (OpenInference).
INDEXED_SCORES = (
    "annotations",
    "evaluations",
    "trace.annotations",
    "trace.evaluations",
    "session.annotations",
    "session.evaluations",
)
# Of the trace. Names under METADATA are looked up after the exact ones (see `labels`).
SESSION = (
    "session.id",
    "gen_ai.session.id",
    "langfuse.session.id",
    "traceloop.association.properties.session_id",
    "langsmith.trace.session_id",
    "session_id",
    "mlflow.trace.session",
    "gcp.vertex.agent.session_id",
    "wandb.thread_id",
    "ai.telemetry.metadata.sessionId",
    "ai.telemetry.metadata.threadId",
    "gen_ai.conversation.id",
    "conversation.id",
    "conversation_id",
    "thread_id",
    "thread.id",
)
USER = (
    "user.id",
    "gen_ai.request.user",
    "traceloop.association.properties.user_id",
    "langsmith.metadata.user_id",
    "langfuse.user.id",
    "mlflow.trace.user",
    "ai.telemetry.metadata.userId",
    "enduser.id",
    "gen_ai.user.id",
    "gen_ai.user",
    "llm.user",
    "user_id",
)
METADATA = (
    "metadata",
    "langfuse.trace.metadata",
    "langfuse.observation.metadata",
    "langsmith.metadata",
    "traceloop.association.properties",
    "ai.telemetry.metadata",
    "braintrust.metadata",
    "mlflow.traceTag",
)
SERVICE = ("service.name", "gen_ai.application_name", "app.name")
AGENT_NAME = ("gen_ai.agent.name", "agent.name", "agent_name", "lk.agent_name")
AGENT_VERSION = ("gen_ai.agent.version", "agent.version", "agent_version", "langfuse.version")
RELEASE = ("service.version", "langfuse.release", "release", "app.version", "app.release")
PROMPT = (
    "app.prompt.version",
    "gen_ai.prompt.version",
    "langfuse.observation.prompt.version",
    "llm.prompt_template.version",
    "traceloop.prompt.version",
    "prompt.version",
    "prompt_version",
    "langsmith.metadata.lc_hub_commit_hash",
    "gen_ai.prompt.name",
    "prompt.id",
)
POLICY = ("app.policy.version", "policy.version", "policy_version")
ENVIRONMENT = (
    "deployment.environment.name",
    "deployment.environment",
    "langfuse.environment",
    "environment",
)
OPT_OUT = ("user.opt_out", "enduser.opt_out", "opt_out", "opted_out")
