"""Connectors that pull traces out of Langfuse, LangSmith and Phoenix into landing."""

from pipeline.connectors.answers import checked_url
from pipeline.connectors.http import Api, ApiError, Limits
from pipeline.connectors.pulling import Platform, Window, pull
from pipeline.connectors.state import Busy, last_end

__all__ = [
    "Api",
    "ApiError",
    "Busy",
    "Limits",
    "Platform",
    "Window",
    "checked_url",
    "last_end",
    "pull",
]
