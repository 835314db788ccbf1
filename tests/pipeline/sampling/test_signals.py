"""Signals of anomaly: each fires on what it is named for, and not on an ordinary trace."""

from __future__ import annotations

import pytest

from pipeline.sampling.conversations import read_conversations
from pipeline.sampling.norms import Norms
from pipeline.sampling.signals import SIGNALS, anomaly_score, fired

ASKED, ANSWERED = "Where is my parcel?", "It arrives on Tuesday."


@pytest.fixture
def signals_of(trace, frame):
    """The signals of one trace among `others` of the same intent."""

    def find(*said, others=(), **columns):
        rows = [trace("one", *said, **columns), *others]
        conversations = read_conversations(frame(rows))
        norms = Norms(conversations, ["track_parcel"] * len(conversations))
        (one,) = [c for c in conversations if c.trace_id == "one"]
        return fired(one, norms)

    return find


def test_an_ordinary_trace_has_none(signals_of):
    assert signals_of(ASKED, ANSWERED, tools=["track_shipment"], input_tokens=900) == []


@pytest.mark.parametrize(
    ("said", "signal"),
    [
        ((ASKED, ANSWERED, "That is wrong, the driver was here"), "contradiction"),
        ((ASKED, ANSWERED, "Das stimmt nicht, er war schon da"), "contradiction"),
        ((ASKED, ANSWERED, "Let me talk to a real person"), "escalation"),
        ((ASKED, "It is probably in Lyon. It might be there since Monday."), "hedging"),
        ((ASKED, "Which?") * 6, "long_session"),
        (("Where is my parcel now?", "Wait.", "where is my parcel now?"), "resubmitted_request"),
    ],
)
def test_what_is_said_gives_it_away(signals_of, said, signal):
    assert signal in signals_of(*said)


def test_where_all_sessions_are_long_none_is(signals_of, trace):
    others = [trace(f"o{n}", *[ASKED, "Which?"] * 8) for n in range(9)]
    assert signals_of(ASKED, *["Which?", "This."] * 7, others=others) == []


def feedback(**given):
    return {"scores": [], "escalated": None, "correction": None} | given


def score(name, value=None, label=None):
    return feedback(scores=[{"name": name, "value": value, "label": label, "source": "user"}])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (feedback(escalated=True), ["escalation"]),
        (feedback(correction="No, on Monday."), ["negative_feedback"]),
        (score("thumbs", 0.0), ["negative_feedback"]),
        (score("thumbs", 1.0), []),
        (score("user_feedback", label="Thumbs_Down"), ["negative_feedback"]),
        (score("stars", 2.0), ["negative_feedback"]),
        (score("stars", 4.0), []),
    ],
)
def test_feedback_is_read_on_its_scale(signals_of, given, expected):
    assert signals_of(ASKED, ANSWERED, feedback=given) == expected


@pytest.mark.parametrize("status", ["error", "timeout"])
def test_a_failing_tool_and_a_failed_run(signals_of, status):
    call = {"name": "track_shipment", "status": status}
    assert signals_of(ASKED, ANSWERED, tools=[call]) == ["tool_error"]
    assert signals_of(ASKED, ANSWERED, status="error") == ["tool_error"]


def test_the_same_tool_three_times_in_a_row(signals_of):
    assert signals_of(ASKED, ANSWERED, tools=["get_order"] * 3) == ["repeated_tool"]
    assert signals_of(ASKED, ANSWERED, tools=["get_order", "x", "get_order", "get_order"]) == []


@pytest.mark.parametrize(("tokens", "expected"), [(1_499, []), (1_501, ["token_outlier"])])
def test_tokens_stand_out_from_the_intents_median(signals_of, trace, tokens, expected):
    # nine traces of 1,000 tokens: the median absolute deviation is 0, so half as much again counts
    others = [trace(f"o{n}", ASKED, ANSWERED, input_tokens=1_000) for n in range(9)]
    assert signals_of(ASKED, ANSWERED, input_tokens=tokens, others=others) == expected


def test_a_few_traces_make_no_norm(signals_of, trace):
    others = [trace(f"o{n}", ASKED, ANSWERED, input_tokens=1_000) for n in range(3)]
    assert signals_of(ASKED, ANSWERED, input_tokens=90_000, others=others) == []


def test_an_order_of_tools_that_nobody_else_takes(signals_of, trace):
    # 120 traces look up, then track; going back is seen once in 121, and both tools are ordinary.
    # A tool nobody else calls belongs to a rare intent: no anomaly.
    usual = [trace(f"o{n}", ASKED, ANSWERED, tools=["get_order", "track"]) for n in range(120)]
    assert signals_of(ASKED, ANSWERED, tools=["track", "get_order"], others=usual) == [
        "unusual_tools"
    ]
    assert signals_of(ASKED, ANSWERED, tools=["get_order", "rare"], others=usual) == []
    assert signals_of(ASKED, ANSWERED, tools=["track", "get_order"], others=usual[:9]) == []


def test_the_score_grows_with_every_signal_and_stays_below_one():
    assert anomaly_score([]) == 0.0
    # 1 - (1 - 0.5)(1 - 0.4)
    assert anomaly_score(["contradiction", "escalation"]) == pytest.approx(0.7)
    names = [signal.name for signal in SIGNALS]
    scores = [anomaly_score(names[:n]) for n in range(len(names) + 1)]
    assert scores == sorted(set(scores))
    assert scores[-1] < 1
    assert names == sorted(names)
