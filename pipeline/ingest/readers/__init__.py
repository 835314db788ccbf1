"""One small reader a format, chosen by what a file holds and not by its name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from pipeline.ingest.readers.atif import AtifReader
from pipeline.ingest.readers.chat import ChatReader
from pipeline.ingest.readers.claude_code import ClaudeCodeReader
from pipeline.ingest.readers.head import Head, read_head
from pipeline.ingest.readers.inspect_log import InspectLogReader
from pipeline.ingest.readers.langfuse import LangfuseReader
from pipeline.ingest.readers.langsmith import LangSmithReader
from pipeline.ingest.readers.mlflow import MlflowReader
from pipeline.ingest.readers.openai_evals import OpenAiEvalsReader
from pipeline.ingest.readers.openclaw import OpenClawReader
from pipeline.ingest.readers.otlp import OtlpJsonReader, SpanDumpReader
from pipeline.ingest.readers.otlp_protobuf import OtlpProtobufReader
from pipeline.ingest.readers.phoenix import PhoenixReader
from pipeline.ingest.readers.who_and_when import WhoAndWhenReader
from pipeline.ingest.records import Line, Record
from pipeline.ingest.source import Source

__all__ = ["READERS", "LineReader", "Reader", "choose_reader", "reader_named"]


class Reader(Protocol):
    """Reads one format."""

    @property
    def name(self) -> str:
        """The format's name, as `raw_traces.source` and the landing index show it."""
        ...

    def sniff(self, head: Head) -> bool:
        """Whether a file that starts like this is of this format."""
        ...

    def read(self, source: Source) -> Iterator[Record]:
        """Yield what the file holds, in its order; one bad record leaves the others alone.

        Raises:
            Unreadable: the file, or the rest of it, cannot be read.
        """
        ...


@runtime_checkable
class LineReader(Reader, Protocol):
    """Reads a format of which each line stands alone, so that one can be read again by itself."""

    def lines(self, source: Source) -> Iterator[Line] | None:
        """Yield what the file holds, line by line; None where it is laid out in another way."""
        ...

    def line(self, raw: bytes, source: Source) -> Sequence[Record]:
        """The records of one line of such a file."""
        ...


# The first that recognises a file reads it: the particular before the general.
READERS: tuple[Reader, ...] = (
    OtlpProtobufReader(),
    OtlpJsonReader(),
    LangfuseReader(),
    LangSmithReader(),
    MlflowReader(),
    PhoenixReader(),
    InspectLogReader(),
    AtifReader(),
    ClaudeCodeReader(),
    OpenClawReader(),
    WhoAndWhenReader(),
    OpenAiEvalsReader(),
    SpanDumpReader(),
    ChatReader(),
)


def choose_reader(source: Source) -> Reader | None:
    """The first reader that knows the file's format, or None.

    Raises:
        Unreadable: not even its beginning can be read.
    """
    head = read_head(source)
    return next((reader for reader in READERS if reader.sniff(head)), None)


def reader_named(name: str | None) -> Reader | None:
    """The reader of a format; None where there is none of this name."""
    return next((reader for reader in READERS if reader.name == name), None)
