"""Where what was heard and said stands."""

from __future__ import annotations

__all__ = ["FINISH_REASON", "HEARD", "INDEXED_HEARD", "INDEXED_SAID", "SAID", "SYSTEM"]

SYSTEM = (
    "gen_ai.system_instructions",
    "gen_ai.request.system_instruction",
    "gen_ai.agent.system_prompt",
    "lk.instructions",
    "lk.pii.instructions",
    "system_prompt",
)
# Before the tables below comes what is spread over many attributes or events; see `exchange`.
INDEXED_HEARD = ("llm.input_messages", "gen_ai.prompt", "llm.prompts")
INDEXED_SAID = ("llm.output_messages", "gen_ai.completion", "llm.choices")
HEARD = (
    "gen_ai.input.messages",
    "llm.input_messages",
    "gen_ai.prompt",
    "llm.prompts",
    "mlflow.chat.messages",
    "langfuse.observation.input",
    "langsmith.inputs",
    "mlflow.spanInputs",
    "traceloop.entity.input",
    "lk.chat_ctx",
    "lk.pii.chat_ctx",
    "lk.user_input",
    "lk.pii.user_input",
    "lk.user_transcript",
    "lk.pii.user_transcript",
    "request_data",
    "user_prompt",
    "new_context",
    "lmnr.span.input",
    "langfuse.trace.input",
    "mlflow.traceInputs",
    "agent.messages",
    "llm.messages",
    "input.value",
    "input",
    "llm.prompt",
    "prompt",
    "gen_ai.task.input",
    "user.message",
)
SAID = (
    "gen_ai.output.messages",
    "llm.output_messages",
    "gen_ai.completion",
    "llm.choices",
    "langfuse.observation.output",
    "langsmith.outputs",
    "mlflow.spanOutputs",
    "traceloop.entity.output",
    "lk.response.text",
    "lk.pii.response.text",
    "response_data",
    "response.model_output",
    "lmnr.span.output",
    "langfuse.trace.output",
    "mlflow.traceOutputs",
    "output.value",
    "output",
    "llm.completion",
    "llm.response",
    "completion",
    "response",
    "final_result",
    "gen_ai.task.output",
    "agent.response",
)
FINISH_REASON = (
    "gen_ai.response.finish_reasons",
    "llm.finish_reason",
    "ai.response.finishReason",
    "gen_ai.response.finish_reason",
    "llm.response.finish_reason",
    "llm.response.stop_reason",
)
