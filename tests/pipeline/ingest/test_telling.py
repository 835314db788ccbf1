"""What spans of every arrangement tell: each turn once, in order, by whoever said it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.records import Event, Message, Span, Trace
from pipeline.ingest.traces.history import History
from pipeline.ingest.traces.spans import trace_of_spans

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
QUESTION, ANSWER = "How much is the fish?", "It is twelve dollars a pound, fresh from the harbour."


def span(number: int, parent: int | None = None, **attributes: Any) -> Span:
    """One span, a second after the one numbered before it; `__` in a keyword stands for a dot."""
    start = NOON + timedelta(seconds=number)
    values = {name.replace("__", "."): value for name, value in attributes.items()}
    above = None if parent is None else f"{parent:016x}"
    end = start + timedelta(seconds=1)
    return Span("t", f"{number:016x}", above, "span", start, end, False, values)


def llm(number: int, parent: int | None, heard: list[Any], said: list[Any], **more: Any) -> Span:
    """A model call."""
    return span(
        number,
        parent,
        gen_ai__operation__name="chat",
        gen_ai__input__messages=heard,
        gen_ai__output__messages=said,
        **more,
    )


def agent(number: int, parent: int | None = None, **more: Any) -> Span:
    return span(number, parent, gen_ai__operation__name="invoke_agent", **more)


def tool(number: int, parent: int | None, name: str = "price", **more: Any) -> Span:
    return span(
        number, parent, gen_ai__operation__name="execute_tool", gen_ai__tool__name=name, **more
    )


def says(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": text}


def asks(call: str | None, name: str = "price", text: str | None = None) -> dict[str, Any]:
    """An assistant's message that calls a tool."""
    function = {"name": name, "arguments": '{"of":"fish"}'}
    calls = [{"id": call, "type": "function", "function": function}]
    return {"role": "assistant", "content": text, "tool_calls": calls}


def gives(call: str | None, result: str = "12") -> dict[str, Any]:
    return {"role": "tool", "content": result, "tool_call_id": call}


def told(*spans: Span, events: tuple[Event, ...] = ()) -> list[tuple[str, str | None]]:
    """Role and text of the conversation; of a message that is all calls the first one's id."""
    return shown(trace(*spans, events=events))


def trace(*spans: Span, events: tuple[Event, ...] = ()) -> Trace:
    return trace_of_spans(spans, events, source="otlp_json")


def shown(made: Trace) -> list[tuple[str, str | None]]:
    return [
        (m.role, m.content or (m.tool_calls[0].id if m.tool_calls else "")) for m in made.messages
    ]


SIMPLE = [("user", QUESTION), ("assistant", ANSWER)]
WITH_TOOL = [("user", QUESTION), ("assistant", "c1"), ("tool", "12"), ("assistant", ANSWER)]
ASKED = says("user", QUESTION)
ANSWERED = says("assistant", ANSWER)


def test_content_only_on_model_calls():
    assert told(agent(0), llm(1, 0, [ASKED], [ANSWERED])) == SIMPLE


def test_content_only_on_the_agent():
    root = agent(0, gen_ai__input__messages=[ASKED], gen_ai__output__messages=[ANSWERED])
    assert told(root, span(1, 0, gen_ai__operation__name="chat")) == SIMPLE


def test_content_only_in_events():
    root = agent(0)
    call = span(1, 0, gen_ai__operation__name="chat")
    said = {"index": 0, "message": {"role": "assistant", "content": ANSWER}}
    events = (
        Event("t", call.span_id, "gen_ai.user.message", NOON, {"content": QUESTION}),
        Event("t", call.span_id, "gen_ai.choice", NOON + timedelta(seconds=1), said),
    )
    assert told(root, call, events=events) == SIMPLE


def test_the_question_only_on_the_agent_and_the_answer_only_on_the_model_call():
    root = agent(0, gen_ai__input__messages=[ASKED])
    assert told(root, llm(1, 0, [], [ANSWERED])) == SIMPLE


def test_history_that_every_call_repeats_is_told_once():
    turns = [ASKED, asks("c1"), gives("c1")]
    calls = [llm(1, 0, turns[:1], [turns[1]]), llm(2, 0, turns, [ANSWERED])]
    assert told(agent(0), *calls) == WITH_TOOL


def test_a_call_that_reads_only_what_is_new():
    # Services that keep the history themselves: the second call is sent the tool's result alone.
    first = llm(1, 0, [ASKED], [asks("c1")])
    assert told(agent(0), first, llm(2, 0, [gives("c1")], [ANSWERED])) == WITH_TOOL


def test_a_call_that_reads_from_the_last_turn_on():
    # Microsoft's agents: the call that was answered, and the answer to it.
    first = llm(1, 0, [ASKED], [asks("c1")])
    made = trace(agent(0), first, llm(2, 0, [asks("c1"), gives("c1")], [ANSWERED]))
    assert shown(made) == WITH_TOOL
    assert [(call.id, call.result) for call in made.calls] == [("c1", "12")]


def test_text_beside_a_call_that_the_history_does_not_repeat():
    first = llm(1, 0, [ASKED], [asks("c1", text="One moment.")])
    second = llm(2, 0, [ASKED, asks("c1"), gives("c1")], [ANSWERED])
    assert told(agent(0), first, second) == [
        ("user", QUESTION), ("assistant", "One moment."), ("tool", "12"), ("assistant", ANSWER),
    ]  # fmt: skip


def test_a_window_that_slides_over_the_history():
    turns = [says(("user", "assistant")[n % 2], f"turn {n}") for n in range(12)]
    # Each call reads the last four turns and says the next.
    calls = [llm(n, 0, turns[max(0, n - 4) : n], [turns[n]]) for n in range(1, 12, 2)]
    assert told(agent(0), *calls) == [(turn["role"], turn["content"]) for turn in turns]


def test_a_summary_in_place_of_the_history():
    first = llm(1, 0, [ASKED], [asks("c1")])
    second = llm(2, 0, [ASKED, asks("c1"), gives("c1")], [asks("c2", "stock")])
    summary = says("user", "So far: the fish costs 12.")
    third = llm(3, 0, [summary, asks("c2", "stock"), gives("c2", "7")], [ANSWERED])
    assert told(agent(0), first, second, third) == [
        ("user", QUESTION), ("assistant", "c1"), ("tool", "12"), ("assistant", "c2"),
        ("user", "So far: the fish costs 12."), ("tool", "7"), ("assistant", ANSWER),
    ]  # fmt: skip


def test_the_same_words_twice_are_two_turns():
    # Only what is new is sent: "yes" to two questions, answered alike both times.
    calls = [
        llm(1, 0, [ASKED], [says("assistant", "Per pound?")]),
        llm(2, 0, [says("user", "yes")], [says("assistant", "Fresh?")]),
        llm(3, 0, [says("user", "yes")], [ANSWERED]),
    ]
    assert told(agent(0), *calls) == [
        ("user", QUESTION), ("assistant", "Per pound?"), ("user", "yes"), ("assistant", "Fresh?"),
        ("user", "yes"), ("assistant", ANSWER),
    ]  # fmt: skip


def test_agents_side_by_side_take_turns():
    # Each repeats its own history; neither repeats the other's.
    writer = [says("user", "Write."), asks("c1"), gives("c1")]
    editor = [says("user", "Edit: draft"), asks("c2"), gives("c2", "13")]
    spans = (
        span(0), agent(1, 0), llm(2, 1, writer[:1], [writer[1]]),
        llm(3, 1, writer, [says("assistant", "draft")]), agent(4, 0),
        llm(5, 4, editor[:1], [editor[1]]), llm(6, 4, editor, [ANSWERED]),
    )  # fmt: skip
    assert told(*spans) == [
        ("user", "Write."), ("assistant", "c1"), ("tool", "12"), ("assistant", "draft"),
        ("user", "Edit: draft"), ("assistant", "c2"), ("tool", "13"), ("assistant", ANSWER),
    ]  # fmt: skip


def test_a_hand_over_goes_on_with_the_conversation():
    # The second agent reads all of it; its span may even stand below the first one's.
    handed = [ASKED, says("assistant", "I hand you over."), says("user", "Thanks.")]
    for above in (0, 1):
        spans = (
            span(0), agent(1, 0), llm(2, 1, handed[:1], handed[1:2]), agent(3, above),
            llm(4, 3, handed, [ANSWERED]),
        )  # fmt: skip
        assert told(*spans) == [
            ("user", QUESTION), ("assistant", "I hand you over."), ("user", "Thanks."),
            ("assistant", ANSWER),
        ]  # fmt: skip


def test_a_sub_agent_speaks_to_an_agent_and_not_to_the_user():
    looked_up = says("user", "Look the price up.")
    spans = (
        agent(0), llm(1, 0, [ASKED], [asks("c1")]),
        tool(2, 0, gen_ai__tool__call__id="c1", gen_ai__tool__call__result="12"), agent(3, 2),
        llm(4, 3, [says("system", "You look up."), looked_up], [says("assistant", "12 dollars")]),
        llm(5, 3, [looked_up, says("assistant", "12 dollars"), says("user", "Sure?")],
            [says("assistant", "Yes.")]),
        llm(6, 0, [ASKED, asks("c1"), gives("c1")], [ANSWERED]),
    )  # fmt: skip
    assert told(*spans) == [
        ("user", QUESTION), ("assistant", "c1"), ("other", "Look the price up."),
        ("assistant", "12 dollars"), ("other", "Sure?"), ("assistant", "Yes."), ("tool", "12"),
        ("assistant", ANSWER),
    ]  # fmt: skip


def test_a_model_call_within_a_tool_or_a_retrieval_is_an_aside():
    rewrite = ([says("user", "Rewrite the query.")], [says("assistant", "fish price")])
    for inner in (
        tool(2, 0),
        span(2, 0, openinference__span__kind="RETRIEVER"),
    ):
        spans = (agent(0), llm(1, 0, [ASKED], [asks("c1")]), inner, llm(3, 2, *rewrite),
                 llm(4, 0, [ASKED, asks("c1"), gives("c1")], [ANSWERED]))  # fmt: skip
        assert [role for role, _ in told(*spans)] == [
            "user", "assistant", "other", "assistant", "tool", "assistant",
        ]  # fmt: skip


def test_a_tool_server_speaks_for_itself():
    # All there is of the trace lies within a tool: it is no aside to anything.
    assert told(tool(0, None), llm(1, 0, [ASKED], [ANSWERED])) == SIMPLE


@pytest.mark.parametrize(
    "above",
    [
        agent(3, 0, gen_ai__agent__name="answer_evaluator"),
        span(3, 0, openinference__span__kind="EVALUATOR"),
        span(3, 0, openinference__span__kind="GUARDRAIL"),
        span(3, 0, langfuse__observation__type="evaluator"),
    ],
)
def test_an_evaluator_is_no_part_of_the_conversation(above: Span):
    verdict = asks("v1", "final_result")
    spans = (span(0), agent(1, 0), llm(2, 1, [ASKED], [ANSWERED]), above,
             llm(4, 3, [says("user", "Rate it: " + ANSWER)], [verdict]))  # fmt: skip
    made = trace(*spans)
    assert shown(made) == [*SIMPLE, ("other", "Rate it: " + ANSWER), ("other", "v1")]
    assert made.calls == (), "its verdict is no tool call of the conversation"


def test_a_guardrail_that_reads_the_question_itself():
    guard = agent(1, 0, gen_ai__agent__name="guardrail")
    spans = (span(0), guard, llm(2, 1, [ASKED], [says("assistant", "harmless")]),
             agent(3, 0), llm(4, 3, [ASKED], [ANSWERED]))  # fmt: skip
    assert told(*spans) == [("other", "harmless"), *SIMPLE]


def test_a_judge_that_reads_the_whole_conversation_does_not_repeat_it():
    judge = span(3, 0, openinference__span__kind="EVALUATOR")
    heard = [ASKED, ANSWERED, says("user", "Fair?")]
    spans = (span(0), agent(1, 0), llm(2, 1, [ASKED], [ANSWERED]), judge,
             llm(4, 3, heard, [says("assistant", "Yes.")]))  # fmt: skip
    assert told(*spans) == [*SIMPLE, ("other", "Fair?"), ("other", "Yes.")]


def test_a_trace_of_an_evaluator_alone_is_its_conversation():
    judge = agent(0, gen_ai__agent__name="judge")
    assert told(judge, llm(1, 0, [ASKED], [ANSWERED])) == SIMPLE


def counted(number: int, parent: int, heard: list[Any], said: list[Any], tokens: int) -> Span:
    usage = {"gen_ai__usage__input_tokens": tokens, "gen_ai__usage__output_tokens": 1}
    return llm(number, parent, heard, said, **usage)


def test_two_instrumentations_of_one_call_count_it_once():
    # The framework's span tells the call, the SDK's below it has no id and no call.
    spans = (
        agent(0), counted(1, 0, [ASKED], [asks("c1")], 100), counted(2, 1, [ASKED], [], 7),
        counted(3, 0, [ASKED, asks("c1"), gives("c1")], [ANSWERED], 200),
        counted(4, 3, [ASKED, gives(None)], [ANSWERED], 9),
    )  # fmt: skip
    made = trace(*spans)
    assert shown(made) == WITH_TOOL
    # 7 + 9, of the two inner spans, and one token each.
    assert (made.input_tokens, made.output_tokens) == (16, 2)


def test_the_inner_spans_tell_where_they_hold_more():
    # A wrapper says only what came out at the end of its two calls.
    inner = (
        llm(2, 1, [ASKED], [asks("c1")]),
        llm(3, 1, [ASKED, asks("c1"), gives("c1")], [ANSWERED]),
    )
    assert told(agent(0), llm(1, 0, [ASKED], [ANSWERED]), *inner) == WITH_TOOL


def test_an_answer_that_the_history_repeats_without_its_line_break():
    heard = [ASKED, ANSWERED, says("user", "Thanks.")]
    spans = (llm(1, 0, [ASKED], [says("assistant", ANSWER + "\n")]),
             llm(2, 0, heard, [says("assistant", "Come again.")]))  # fmt: skip
    assert [role for role, _ in told(agent(0), *spans)] == ["user", "assistant"] * 2


def test_the_outer_span_counts_where_the_inner_does_not():
    spans = (agent(0), counted(1, 0, [], [], 100), llm(2, 1, [ASKED], [ANSWERED]))
    assert (told(*spans), trace(*spans).input_tokens) == (SIMPLE, 100)


def test_a_model_call_below_the_tool_of_another_is_a_call_of_its_own():
    spans = (agent(0), counted(1, 0, [ASKED], [ANSWERED], 100), tool(2, 1),
             counted(3, 2, [says("user", "Look up.")], [says("assistant", "12")], 30))  # fmt: skip
    assert trace(*spans).input_tokens == 130


def test_an_answer_of_which_the_span_kept_only_the_end():
    root = agent(0, gen_ai__output__messages=[ANSWERED])
    assert told(root, llm(1, 0, [ASKED], [says("assistant", ANSWER[3:])])) == SIMPLE


def test_all_of_a_run_s_text_is_not_taken_for_its_last_answer():
    first = "I look at the board."
    root = agent(0, gen_ai__output__messages=[says("assistant", first + ANSWER)])
    spans = (root, llm(1, 0, [ASKED], [says("assistant", first)]),
             llm(2, 0, [ASKED, says("assistant", first)], [ANSWERED]))  # fmt: skip
    assert told(*spans) == [("user", QUESTION), ("assistant", first), ("assistant", ANSWER)]


def test_a_call_that_an_agent_s_span_reports_and_no_tool_span():
    report = {"tool__name": "price", "tool__parameters": {"of": "fish"}, "output__value": "12"}
    reports = (span(2, 0, openinference__span__kind="AGENT", **report),
               span(3, 0, openinference__span__kind="AGENT", **report),
               span(4, 0, openinference__span__kind="AGENT", tool__name="price"))  # fmt: skip
    (call,) = trace(agent(0), llm(1, 0, [ASKED], [ANSWERED]), *reports).calls
    assert (call.name, call.arguments, call.result) == ("price", '{"of":"fish"}', "12")
    run = tool(5, 0, gen_ai__tool__call__arguments='{"of":"fish"}', gen_ai__tool__call__result="12")
    (call,) = trace(agent(0), llm(1, 0, [ASKED], [ANSWERED]), *reports, run).calls
    assert call.span_id == run.span_id


def test_tool_spans_and_what_messages_show_are_one_call():
    args = {"gen_ai__tool__call__arguments": '{"of":"fish"}'}
    shown_calls = [asks("c1"), gives("c1"), asks("c2"), gives("c2", "13")]
    # Of the spans only the second knows its id.
    spans = (agent(0), llm(1, 0, [ASKED, *shown_calls], [ANSWERED]), tool(2, 0, **args),
             tool(3, 0, gen_ai__tool__call__id="c2", **args))  # fmt: skip
    assert [(c.id, c.result, c.span_id) for c in trace(*spans).calls] == [
        ("c1", "12", f"{2:016x}"), ("c2", "13", f"{3:016x}"),
    ]  # fmt: skip


def test_calls_that_share_an_id_are_not_lost():
    # Some models number their calls anew in every turn.
    spans = [
        tool(n, 0, gen_ai__tool__call__id="call_0", gen_ai__tool__call__arguments=f'{{"n":{n}}}')
        for n in (1, 2, 3)
    ]
    assert [call.arguments for call in trace(agent(0), *spans).calls] == [
        '{"n":1}', '{"n":2}', '{"n":3}',
    ]  # fmt: skip


def test_a_tool_that_two_instrumentations_record_is_called_once():
    args = {"gen_ai__tool__call__arguments": '{"of":"fish"}', "gen_ai__tool__call__result": "12"}
    (call,) = trace(agent(0), tool(1, 0, **args), tool(2, 1, **args)).calls
    assert call.span_id == f"{1:016x}"
    assert len(trace(agent(0), tool(1, 0, **args), tool(2, 0, **args)).calls) == 2


def test_a_root_of_langfuse_may_keep_a_parent_that_is_not_there():
    root = agent(1, 99, langfuse__internal__is_app_root=True)
    made = trace(root, llm(2, 1, [ASKED], [ANSWERED]))
    assert (made.flags, made.complete) == (frozenset(), True)
    assert "orphan_spans" in trace(agent(1, 99), llm(2, 1, [ASKED], [ANSWERED])).flags


@pytest.mark.parametrize("name", ["unknown_service", "unknown_service:python"])
def test_a_service_that_nobody_named_is_none(name: str):
    made = trace(span(0, service__name=name), llm(1, 0, [ASKED], [ANSWERED]))
    assert made.service is None
    assert trace(span(0, service__name="unknown_services")).service == "unknown_services"


MANY = 50_000


def deep_calls() -> list[Span]:
    return [llm(n, n - 1 if n else None, [ASKED], [ANSWERED]) for n in range(MANY)]


def deep_agents() -> list[Span]:
    spans = [agent(0)]
    for n in range(1, MANY, 2):
        turn = [says("user", f"q{n}")]
        spans += [agent(n, max(n - 2, 0)), llm(n + 1, n, turn, [says("assistant", f"a{n}")])]
    return spans


def wide_window() -> list[Span]:
    turns = [says(("user", "assistant")[n % 2], f"turn {n}") for n in range(2 * MANY)]
    calls = [
        llm(n, 0, turns[max(0, 2 * n - 7) : 2 * n - 1], [turns[2 * n - 1]]) for n in range(1, MANY)
    ]
    return [agent(0), *calls]


def circle() -> list[Span]:
    return [llm(n, (n + 1) % MANY, [ASKED], [ANSWERED]) for n in range(MANY)]


def tools_without_ids() -> list[Span]:
    shown_calls = {"role": "assistant", "tool_calls": [asks(None)["tool_calls"][0]] * MANY}
    run = [tool(n, 0, gen_ai__tool__call__arguments='{"of":"fish"}') for n in range(2, MANY)]
    return [agent(0), llm(1, 0, [ASKED], [shown_calls]), *run]


@pytest.mark.parametrize(
    ("spans", "messages"),
    [
        (deep_calls, 2),
        (deep_agents, MANY),
        (wide_window, 2 * (MANY - 1)),
        (circle, 2),
        (tools_without_ids, 2),
    ],
)
def test_fifty_thousand_spans_take_seconds(spans: Any, messages: int):
    many = spans()
    began = time.process_time()
    made = trace(*many)
    # One to three seconds; a loop within a loop would take minutes.
    assert time.process_time() - began < 30
    assert len(made.messages) == messages


TURN = st.builds(Message, st.sampled_from(["user", "assistant"]), st.sampled_from("abcdef"))


@given(st.lists(TURN, max_size=12), st.lists(st.integers(1, 12), max_size=6))
def test_calls_that_repeat_all_of_the_history_tell_exactly_it(turns, cuts):
    def plain(messages: list[Message]) -> list[dict[str, str | None]]:
        return [{"role": m.role, "content": m.content} for m in messages]

    history = History()
    ends = [*sorted({cut for cut in cuts if cut <= len(turns)}), len(turns)]
    for end in ends:
        history.hear(None, plain(turns[:end]), None)
    assert [(m.role, m.content) for m in history.messages] == [(m.role, m.content) for m in turns]
