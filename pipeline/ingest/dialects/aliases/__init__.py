"""The names each meaning goes by, convention by convention: in every table the first hit wins.

Structured names come before a platform's copy of the whole input or output, since they say more.
Checked at the sources: OTel GenAI registry (current and deprecated), openinference-semantic-
conventions, opentelemetry-semantic-conventions-ai, the SDKs of Langfuse, LangSmith, MLflow,
Pydantic AI and Vercel, and the OTel intakes of Langfuse, Latitude and MLflow.
"""

from __future__ import annotations

from pipeline.ingest.dialects.aliases.kinds import (
    HINTS,
    KINDS,
)
from pipeline.ingest.dialects.aliases.messages import (
    FINISH_REASON,
    HEARD,
    INDEXED_HEARD,
    INDEXED_SAID,
    SAID,
    SYSTEM,
)
from pipeline.ingest.dialects.aliases.tools import (
    DOCUMENTS,
    ERROR_TEXT,
    INDEXED_DOCUMENTS,
    PLAIN_ARGUMENTS,
    PLAIN_RESULTS,
    QUERY,
    TOOL_ARGUMENTS,
    TOOL_ID,
    TOOL_NAME,
    TOOL_RESULT,
    TOOL_STATUS,
)
from pipeline.ingest.dialects.aliases.trace import (
    AGENT_NAME,
    AGENT_VERSION,
    ENVIRONMENT,
    INDEXED_SCORES,
    METADATA,
    OPT_OUT,
    POLICY,
    PROMPT,
    RELEASE,
    SERVICE,
    SESSION,
    USER,
)
from pipeline.ingest.dialects.aliases.usage import (
    CACHE_READ,
    CACHE_WRITE,
    COST,
    COST_PARTS,
    INPUT_TOKENS,
    MODEL,
    OUTPUT_TOKENS,
    PROVIDER,
    REASONING,
    STRUCTURES,
    TOTAL_TOKENS,
)

__all__ = [
    "AGENT_NAME",
    "AGENT_VERSION",
    "CACHE_READ",
    "CACHE_WRITE",
    "COST",
    "COST_PARTS",
    "DOCUMENTS",
    "ENVIRONMENT",
    "ERROR_TEXT",
    "FINISH_REASON",
    "HEARD",
    "HINTS",
    "INDEXED_DOCUMENTS",
    "INDEXED_HEARD",
    "INDEXED_SAID",
    "INDEXED_SCORES",
    "INPUT_TOKENS",
    "KINDS",
    "METADATA",
    "MODEL",
    "OPT_OUT",
    "OUTPUT_TOKENS",
    "PLAIN_ARGUMENTS",
    "PLAIN_RESULTS",
    "POLICY",
    "PROMPT",
    "PROVIDER",
    "QUERY",
    "REASONING",
    "RELEASE",
    "SAID",
    "SERVICE",
    "SESSION",
    "STRUCTURES",
    "SYSTEM",
    "TOOL_ARGUMENTS",
    "TOOL_ID",
    "TOOL_NAME",
    "TOOL_RESULT",
    "TOOL_STATUS",
    "TOTAL_TOKENS",
    "USER",
]
