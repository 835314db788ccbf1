"""Where a tool call and a retrieval stand."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "DOCUMENTS",
    "ERROR_TEXT",
    "INDEXED_DOCUMENTS",
    "PLAIN_ARGUMENTS",
    "PLAIN_RESULTS",
    "QUERY",
    "TOOL_ARGUMENTS",
    "TOOL_ID",
    "TOOL_NAME",
    "TOOL_RESULT",
    "TOOL_STATUS",
]

TOOL_NAME = (
    "gen_ai.tool.name",
    "ai.toolCall.name",
    "tool.name",
    "tool_name",
    "lk.function_tool.name",
    "tool_call.function.name",
    "mcp.tool.name",
    "traceloop.entity.name",
    "openai.agents.function.name",
)
TOOL_ID = (
    "gen_ai.tool.call.id",
    "ai.toolCall.id",
    "tool_call.id",
    "tool_call_id",
    "tool.call.id",
    "tool.call_id",
    "tool.id",
    "tool_use_id",
    "lk.function_tool.id",
    "langsmith.metadata.tool_call_id",
)
# `tool.parameters` may be the tool's declaration rather than the call's arguments: last.
TOOL_ARGUMENTS = (
    "gen_ai.tool.call.arguments",
    "ai.toolCall.args",
    "gcp.vertex.agent.tool_call_args",
    "tool_arguments",
    "tool.input",
    "tool.arguments",
    "tool.args",
    "tool_call.function.arguments",
    "lk.function_tool.arguments",
    "lk.pii.function_tool.arguments",
    "tool_input",
    "langfuse.observation.input",
    "langsmith.inputs",
    "mlflow.spanInputs",
    "traceloop.entity.input",
    "mcp.request.argument",
    "lmnr.span.input",
    "input.value",
    "input",
    "openai.agents.function.input",
    "tool.parameters",
    "gen_ai.prompt",
)
TOOL_RESULT = (
    "gen_ai.tool.call.result",
    "ai.toolCall.result",
    "gcp.vertex.agent.tool_response",
    "tool_response",
    "tool.output",
    "tool.result",
    "tool.response",
    "lk.function_tool.output",
    "lk.pii.function_tool.output",
    "langfuse.observation.output",
    "langsmith.outputs",
    "mlflow.spanOutputs",
    "traceloop.entity.output",
    "mcp.response.value",
    "lmnr.span.output",
    "output.value",
    "output",
    "openai.agents.function.output",
    "gen_ai.completion",
)
# So many of the names hold the arguments and the result themselves; behind them stand the input
# and output of whatever ran, which a framework may have wrapped.
PLAIN_ARGUMENTS = TOOL_ARGUMENTS.index("langfuse.observation.input")
PLAIN_RESULTS = TOOL_RESULT.index("langfuse.observation.output")
# Values that mean success or failure, by the attribute that says it.
TOOL_STATUS: Mapping[str, Mapping[object, bool]] = {
    "tool.success": {True: True, "true": True, False: False, "false": False},
    "success": {True: True, "true": True, False: False, "false": False},
    "tool.status": {"ok": True, "success": True, "error": False, "failed": False, "failure": False},
    "gen_ai.tool.status": {"success": True, "ok": True, "error": False, "failed": False},
    "tool.is_error": {True: False, "true": False, False: True, "false": True},
    "lk.function_tool.is_error": {True: False, "true": False, False: True, "false": True},
    "langfuse.observation.level": {"error": False},
}
ERROR_TEXT = ("langsmith.error", "langfuse.observation.status_message", "tool.error")
QUERY = (
    "gen_ai.retrieval.query.text",
    "gen_ai.memory.query.text",
    "reranker.query",
    "retrieval.query",
    "db.marqo.search.query",
    "db.query.text",
    "langfuse.observation.input",
    "langsmith.inputs",
    "mlflow.spanInputs",
    "traceloop.entity.input",
    "lmnr.span.input",
    "input.value",
    "input",
    "gen_ai.prompt",
)
INDEXED_DOCUMENTS = ("reranker.output_documents", "retrieval.documents")
DOCUMENTS = (
    "gen_ai.retrieval.documents",
    "gen_ai.memory.records",
    "reranker.output_documents",
    "retrieval.documents",
    "output.documents",
    "langfuse.observation.output",
    "langsmith.outputs",
    "mlflow.spanOutputs",
    "traceloop.entity.output",
    "lmnr.span.output",
    "output.value",
    "output",
    "gen_ai.completion",
)
