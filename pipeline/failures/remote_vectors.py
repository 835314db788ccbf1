"""Descriptions of failures as vectors by a model of one's own choice, through litellm.

Only words of our own go out: signatures of failures, never what anybody said. Sampling and unknown
intents keep the offline embedder, for they read what users wrote. A vector is kept in the ledger
under model and text, so a partition made twice has the same bytes whatever the provider does in
between; one whose vectors are not all there is not published. Rounded to 6 decimals.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline.embedding import Vectors
from pipeline.grading.judge.transport import load_litellm
from pipeline.grading.ledger import Ledger
from pipeline.ids import digest

__all__ = ["RemoteVectors", "VectorsPending"]

_BATCH = 128
_TIMEOUT = 60.0  # seconds a batch


class VectorsPending(RuntimeError):
    """The provider of vectors does not answer, or not as it should."""


class RemoteVectors:
    """Vectors of one pinned model; the ledger remembers them.

    Args:
        model: as litellm names it, a snapshot rather than an alias.
        api_base: an OpenAI-compatible server of one's own, where it is none of litellm's.
        ledger: folder of the ledger.
    """

    def __init__(self, model: str, api_base: str | None, ledger: Path) -> None:
        self._model, self._api_base, self._folder = model, api_base, ledger

    @property
    def identity(self) -> str:
        """Digest of model and server."""
        return f"litellm-embedding-{digest(self._model, self._api_base, size=6)}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, a row a text; an empty text is the zero vector.

        Raises:
            VectorsPending: some could not be had; those that could are kept.
        """
        ledger = Ledger(self._folder)
        try:
            known = {text: self._kept(text, ledger) for text in dict.fromkeys(texts) if text}
            missing = sorted(text for text, vector in known.items() if vector is None)
            for start in range(0, len(missing), _BATCH):
                batch = missing[start : start + _BATCH]
                size = next((len(vector) for vector in known.values() if vector), None)
                for text, vector in zip(batch, self._ask(batch, len(missing), size), strict=True):
                    ledger.keep(self.identity, digest(text), json.dumps(vector))
                    known[text] = vector
        finally:
            ledger.close()
        size = max((len(vector) for vector in known.values() if vector), default=1)
        rows = [known[text] if text else [0.0] * size for text in texts]
        if any(row is None or len(row) != size for row in rows):
            raise VectorsPending(self._say(len(texts), "its vectors are of several sizes"))
        return np.array(rows, dtype=np.float32).reshape(len(texts), size)

    def _kept(self, text: str, ledger: Ledger) -> list[float] | None:
        body = ledger.answer(self.identity, digest(text))
        return None if body is None else [float(value) for value in json.loads(body)]

    def _ask(self, texts: list[str], pending: int, size: int | None) -> list[list[float]]:
        """A unit vector a text; one that is none, or of another size, would be kept for good."""
        litellm = load_litellm()
        extra = {}
        if self._api_base:
            # a server of one's own often wants no key, but the client will not go without
            key = os.environ.get("OPENAI_API_KEY") or "none"
            extra = {"api_base": self._api_base, "api_key": key}
        try:
            reply = litellm.embedding(
                model=self._model, input=texts, timeout=_TIMEOUT, num_retries=2,
                encoding_format="float", **extra,
            )  # fmt: skip
            rows = sorted(reply.data, key=lambda row: row["index"])
            vectors = list(_units([row["embedding"] for row in rows]))
            numbers = [row["index"] for row in rows]
        except Exception as error:  # litellm raises whatever its providers do
            raise VectorsPending(self._say(pending, type(error).__name__)) from None
        if numbers != list(range(len(texts))):
            raise VectorsPending(self._say(pending, f"{len(vectors)} vectors for {len(texts)}"))
        if not all(vectors):
            raise VectorsPending(self._say(pending, "what came are no vectors"))
        if len({len(vector) for vector in vectors} | ({size} if size else set())) > 1:
            raise VectorsPending(self._say(pending, "its vectors are of several sizes"))
        return vectors

    def _say(self, pending: int, why: str) -> str:
        return (
            f"failures: the model {self._model!r} (failures.embedding_model) left {pending} "
            f"descriptions without a vector ({why}); those that came are kept in the ledger and "
            "nothing was published. Check name, server and key, then materialise the partition "
            "again (make backfill FROM=<day> TO=<day>)"
        )


def _units(rows: Sequence[Sequence[float]]) -> Iterator[list[float]]:
    """Each row at length 1; an empty list for what has no direction: a NaN, zeros, a matrix."""
    for row in rows:
        vector = np.asarray(row, dtype=np.float64)
        largest = float(np.abs(vector).max(initial=0.0))
        if vector.ndim != 1 or not np.isfinite(largest) or not largest:
            yield []
            continue
        vector = vector / largest  # so that no square is beyond measure
        yield np.round(vector / np.sqrt(np.square(vector).sum()), 6).tolist()
