"""A week's traffic with something nobody planned for: it is seen, named and followed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from pipeline.embedding import word_embedder
from pipeline.registry import Intent, Registry, Settings
from pipeline.tables import REDACTED_TRACES, STRATIFIED_SAMPLES
from pipeline.unknown_intents import UnknownIntents, find_unknown_intents
from pipeline.windows import Window, week

MONDAY = date(2026, 11, 2)
PARCEL = (
    "where is my parcel", "my parcel has not arrived", "track my parcel please",
    "the parcel is late", "when does the parcel arrive", "has my parcel been sent",
    "parcel still not delivered", "which day will the parcel come", "my parcel is missing",
    "tracking says the parcel is delayed", "no news of my parcel", "did the parcel leave yet",
)  # fmt: skip
REFUND = (
    "I want a refund", "give me my money back", "refund this purchase", "when is my refund paid",
    "the refund has not come", "please refund the order", "how long does a refund take",
    "money back for the broken lamp", "I was promised a refund", "refund to my card",
    "cancel it and refund me", "is the refund on its way",
)  # fmt: skip
CUSTOMS = (
    "customs want an import declaration", "who fills in the customs declaration",
    "what import duty does customs charge", "customs stopped it for an import form",
    "which import code do customs need", "the customs office asks for an import licence",
)  # fmt: skip
INTENTS = (
    Intent(id="track_parcel", title="Parcels", exemplars=PARCEL),
    Intent(id="refund", title="Refunds", exemplars=REFUND),
)
REGISTRY = Registry(Settings(), INTENTS, (), (), (), {})


def asked(
    texts: tuple[str, ...], intent: str, score: float, count: int, **fields: Any
) -> list[dict[str, Any]]:
    """`count` requests by as many users, the texts in turn, a day apart in turn."""
    return [
        {
            "said": texts[n % len(texts)],
            "trace_id": f"{intent}-{fields.get('start', 0)}-{n:03}",
            "user_key": f"{intent}-user-{n}",
            "intent": intent,
            "intent_score": score,
            "inclusion_probability": 0.5,
            "day": MONDAY + timedelta(days=fields.get("start", 0) + n % 7),
        }
        for n in range(count)
    ]


def find(
    rows: list[dict[str, Any]], before: pl.DataFrame | None = None, number: int = 0,
    registry: Registry = REGISTRY,
) -> UnknownIntents:  # fmt: skip
    window: Window = week(MONDAY + timedelta(days=7 * number))
    said = [{"role": "user", "content": row["said"]} for row in rows]
    redacted = pl.DataFrame(
        [
            {"trace_id": r["trace_id"], "user_key": r["user_key"], "messages": [m], "day": r["day"]}
            for r, m in zip(rows, said, strict=True)
        ],
        schema=dict(REDACTED_TRACES.schema) | {"day": pl.Date},
    )
    samples = pl.DataFrame(rows, schema=dict(STRATIFIED_SAMPLES.schema) | {"day": pl.Date})
    return find_unknown_intents(redacted, samples, before, registry, word_embedder(), window)


def planned(start: int = 0) -> list[dict[str, Any]]:
    said = tuple(f"{text} today" for text in PARCEL)
    return asked(said, "track_parcel", 0.8, 40, start=start)


def test_what_nobody_planned_for_is_named_with_its_share():
    found = find(planned() + asked(CUSTOMS, "unknown", 0.2, 10))
    found.counts.check("unknown_intents")
    rows = {row["kind"]: row for row in found.frame.to_dicts()}
    customs = rows["unplanned"]
    assert {"customs", "import"} <= set(customs["terms"])
    # 10 of 50, all with the same chance of being drawn
    assert (customs["n"], customs["n_users"], customs["share"]) == (10, 10, 0.2)
    assert customs["share_low"] < 0.2 < customs["share_high"]
    assert (customs["trend"], customs["first_seen"]) == ("new", MONDAY)
    assert rows["all"]["n"] == 10
    assert rows["all"]["n_calibration"] == 24
    assert rows["all"]["false_alarm_rate"] <= 0.1


def test_it_keeps_its_id_while_it_grows_and_when_nobody_asks():
    first = find(planned() + asked(CUSTOMS, "unknown", 0.2, 10)).frame
    second = find(planned(7) + asked(CUSTOMS, "unknown", 0.2, 60, start=7), first, 1).frame
    third = find(planned(14), second, 2).frame
    ids = [f.filter(pl.col("kind") == "unplanned")["unknown_intent_id"][0] for f in (first, second)]
    assert ids[0] == ids[1]
    grown = second.row(by_predicate=pl.col("unknown_intent_id") == ids[0], named=True)
    # 10 of 50, then 60 of 100
    assert (grown["trend"], grown["share_before"], grown["share"]) == ("rising", 0.2, 0.6)
    assert grown["first_seen"] == MONDAY
    quiet = third.row(by_predicate=pl.col("unknown_intent_id") == ids[0], named=True)
    assert (quiet["trend"], quiet["n"], quiet["share"]) == ("quiet", 0, 0.0)
    assert quiet["last_seen"] == grown["last_seen"]


def test_what_few_users_said_is_neither_shown_nor_named():
    found = find(planned() + asked(CUSTOMS, "unknown", 0.2, 4)).frame
    assert found["kind"].to_list() == ["all"]
    assert found["n"].to_list() == [4]


def test_neither_the_order_of_rows_nor_repetition_changes_a_byte():
    rows = planned() + asked(CUSTOMS, "unknown", 0.2, 10)
    assert find(rows).frame.equals(find(rows[::-1]).frame)


def test_a_week_without_traffic_is_a_row_of_nothing():
    found = find([])
    found.counts.check("unknown_intents")
    (row,) = found.frame.to_dicts()
    assert (row["kind"], row["n"], row["share"]) == ("all", 0, None)


def test_without_intents_what_sampling_called_unknown_is_far():
    bare = Registry(Settings(), (), (), (), (), {})
    found = find(asked(CUSTOMS, "unknown", 0.0, 10), registry=bare).frame
    assert found["threshold"].to_list() == [None] * found.height
    assert found.filter(pl.col("kind") == "all")["share"].to_list() == [1.0]


@pytest.mark.parametrize("text", ["", "12345", "EMAIL_KQXZBTRWMNPD"])
def test_requests_without_words_are_counted_apart(text):
    found = find([*planned(), *asked((text,), "unknown", 0.0, 5)])
    assert found.counts.filtered["without_words"] == 5
