"""What the beginning of a file shows of its container and its columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.ingest.readers import choose_reader
from pipeline.ingest.readers.head import read_head
from pipeline.ingest.source import Source

LANGFUSE = "id,timestamp,name,userId,sessionId,public,bookmarked,tags,input,output"


def container(folder: Path, text: str) -> str:
    path = folder / "file"
    path.write_text(text, encoding="utf-8")
    return read_head(Source(path)).container


@pytest.mark.parametrize(
    "names",
    [
        LANGFUSE,
        f'{LANGFUSE},Helpful?,"Was it right, all in all?",👍 or 👎,👩‍💻 verdict,Güte & Ton [1-5]',
        ",id,name",  # pandas leaves the name of its index empty
    ],
)
def test_a_table_may_have_columns_that_people_named(tmp_path: Path, names: str) -> None:
    assert container(tmp_path, names + "\n1,2,3\n") == "csv"


@pytest.mark.parametrize(
    "text",
    [
        "Dear all, what a week! I can't believe it's over; let's meet, shall we?",
        "Licence: you may, at your own risk & peril, use it; or, if you wish, don't.",
        "PK\x01,\x02,\x03",
        ",,,",
        "one column",
    ],
)
def test_prose_is_no_table(tmp_path: Path, text: str) -> None:
    assert container(tmp_path, text + "\nmore, of, it\n") == "other"


def test_an_export_with_scores_as_columns_is_langfuse_s(tmp_path: Path) -> None:
    path = tmp_path / "traces.csv"
    path.write_text(f"{LANGFUSE},Helpful?,👍\n", encoding="utf-8")
    reader = choose_reader(Source(path))
    assert reader is not None
    assert reader.name == "langfuse"
