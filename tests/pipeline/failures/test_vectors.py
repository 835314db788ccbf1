"""The figures that pipeline/failures/vectors.py and the thresholds in the settings rest on."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.failures.signatures import Signature, mask, words
from pipeline.failures.vectors import signature_vectors
from pipeline.registry import Settings

FLOOR = Settings().failures.cluster_similarity

PART = Signature("completeness", "track_parcel", "", "missed_part")
TOOL = Signature("right_tool", "track_parcel", "get_order", "wrong_tool")
CITE = Signature("source_cited", "returns_policy", "HC-#", "missing_citation")

SAME_KIND = [
    (PART, Signature("completeness", "refund_request", "", "missed_part")),
    (PART, Signature("completeness", "newsletter", "", "missed_part")),
    (PART, Signature("completeness", "warranty_policy", "", "missed_part")),
    (TOOL, Signature("right_tool", "refund_request", "check_stock", "wrong_tool")),
    (TOOL, Signature("right_tool", "order_status", "search_help", "wrong_tool")),
    (CITE, Signature("source_cited", "warranty_policy", "HC-#", "missing_citation")),
    # a rule that was given another name
    (CITE, Signature("must_cite", "returns_policy", "HC-#", "missing_citation")),
]
OTHER_KIND = [
    (PART, Signature("completeness", "track_parcel", "", "no_answer")),
    (PART, Signature("completeness", "track_parcel", "", "unanswered_question")),
    (PART, Signature("tone", "track_parcel", "", "cold")),
    (CITE, Signature("cited_source_exists", "returns_policy", "HC-#", "phantom_citation")),
    # without an error class an axis falls apart by intent
    (Signature("tone", "track_parcel", "", ""), Signature("tone", "refund_request", "", "")),
    (Signature("tone", "track_parcel", "", ""), Signature("helpfulness", "track_parcel", "", "")),
]


def cosine(pair, embedder):
    left, right = signature_vectors(pair, embedder)
    return float(left @ right)


@pytest.mark.parametrize("pair", SAME_KIND)
def test_one_kind_of_failure_in_two_places_is_above_the_floor(pair, embedder):
    assert cosine(pair, embedder) > FLOOR


@pytest.mark.parametrize("pair", OTHER_KIND)
def test_two_kinds_of_failure_are_below_the_floor(pair, embedder):
    assert cosine(pair, embedder) < FLOOR


def test_a_signature_has_one_vector_whatever_it_is_embedded_with(embedder):
    alone = signature_vectors([TOOL], embedder)[0]
    among = signature_vectors([CITE, TOOL, PART], embedder)[1]
    assert np.array_equal(alone, among)


def test_masking_leaves_what_two_failures_share():
    assert (
        mask("The tool was called 4 times for PERSON_KQXZBTRWMNPD on 2026-11-02")
        == "The tool was called # times for PERSON on #"
    )
    assert mask("a\x00b\u202ec") == "a b c"
    assert words("unacknowledged_timeout") == "unacknowledged timeout"
