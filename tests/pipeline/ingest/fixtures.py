"""One small sound file for every reader: seeds for tests that damage them."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from tests.pipeline.ingest.readers import (
    test_atif,
    test_claude_code,
    test_inspect_log,
    test_langfuse,
    test_langsmith,
    test_mlflow,
    test_openai_evals,
    test_openclaw,
    test_otlp_bare,
    test_otlp_protobuf,
    test_phoenix,
    test_who_and_when,
)
from tests.pipeline.ingest.spans import chat, message, request, span
