"""Who writes on a day, about what, and what goes wrong.

A conversation depends on its own name alone: seed, start, day and number.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from . import scripts
from .draws import digest, pick, rng_for
from .lessons import (
    BY_KIND,
    CUSTOMS_LESSONS,
    ODDITIES,
    ODDITY_LESSONS,
    SECOND_AXES,
    SECONDS,
    Lesson,
)
from .otlp import Meeting, Span
from .people import person
from .plan import (
    APP_SHARE,
    CUSTOMS,
    CUSTOMS_FAILING,
    CUSTOMS_RAMP,
    FAILURE_RATES,
    FEEDBACK_CLEAN,
    FEEDBACK_FAILED,
    FOREIGN_SHARE,
    FOREIGN_WEIGHTS,
    HOUR_WEIGHTS,
    INTENT_WEIGHTS,
    MULTILINGUAL,
    PEOPLE,
    PLANNED_INTENTS,
    RELEASE_EFFECTS,
    SECOND_FAILURE,
    STAKES,
    WEEKDAY_FACTOR,
    Channel,
    Phrases,
    creep,
    release_at,
)
from .recorder import record
from .scene import Scene

_MAX_TURNS: Final = 12


@dataclass(frozen=True, slots=True)
class Conversation:
    """One finished conversation with the truth about it."""

    trace_id: str
    day: dt.date
    session_id: str
    intent: str
    stakes: str
    release: str
    channel: Channel
    lang: str
    failure_kinds: tuple[str, ...]
    lesson: Lesson | None
    failed_axes: frozenset[str]
    scene: Scene
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class _Plot:
    """What a conversation is going to be about."""

    intent: str
    lang: str
    lesson: Lesson | None = None
    second: str = ""

    @property
    def flaws(self) -> tuple[str, ...]:
        return tuple(k for k in (self.lesson.kind if self.lesson else "", self.second) if k)


def count_on(seed: int, start: dt.date, day: int, per_day: int) -> int:
    """Conversations on a day: the weekday's share of the mean, give or take four percent."""
    wobble = rng_for(seed, start, "count", day).uniform(0.96, 1.04)
    return max(1, round(per_day * WEEKDAY_FACTOR[day % 7] * wobble))


def _language(rng: random.Random, langs: str) -> str:
    if langs == "en" or (langs == "any" and rng.random() >= FOREIGN_SHARE):
        return "en"
    return list(FOREIGN_WEIGHTS)[pick(rng, list(FOREIGN_WEIGHTS.values()))]


def _plot(rng: random.Random, day: int, release: str, oddity: Lesson | None) -> _Plot:
    if oddity:
        return _Plot("order_status", "en", oddity)
    if rng.random() < CUSTOMS_RAMP[min(day, len(CUSTOMS_RAMP) - 1)]:
        failing = rng.random() < CUSTOMS_FAILING
        return _Plot(CUSTOMS, "en", rng.choice(CUSTOMS_LESSONS) if failing else None)
    effects = RELEASE_EFFECTS[release]
    roll = rng.random()
    for kind, base in FAILURE_RATES.items():
        roll -= base * effects.get(kind, 1.0)
        if roll < 0:
            lesson = rng.choice(BY_KIND[kind])
            second = SECONDS.get(lesson.id, "") if rng.random() < SECOND_FAILURE else ""
            second = "" if effects.get(second) == 0 else second
            return _Plot(rng.choice(lesson.intents), _language(rng, lesson.langs), lesson, second)
    intent = PLANNED_INTENTS[pick(rng, INTENT_WEIGHTS)]
    return _Plot(intent, _language(rng, "any" if intent in MULTILINGUAL else "en"))


def _start(rng: random.Random, start: dt.date, day: int) -> dt.datetime:
    midnight = dt.datetime.combine(start, dt.time(), dt.UTC) + dt.timedelta(days=day)
    hour = pick(rng, HOUR_WEIGHTS)
    return midnight + dt.timedelta(
        hours=hour, seconds=rng.randrange(3600), milliseconds=rng.randrange(1000)
    )


def _channel(rng: random.Random, intent: str) -> Channel:
    if intent == "order_summary":
        return "api"
    return "app" if rng.random() < APP_SHARE else "web"


def converse(
    seed: int, start: dt.date, day: int, number: int, phrases: Phrases, oddity: Lesson | None = None
) -> Conversation:
    """Write one conversation.

    Args:
        seed: of the whole simulation.
        start: its first day.
        day: days since the start.
        number: of the conversation within the day.
        phrases: which set of sentences is spoken.
        oddity: a one-off to play here.

    Raises:
        RuntimeError: the script did not play the failure that was planned.
    """
    name = (seed, start, day, number)
    rng = rng_for(*name)
    began = _start(rng, start, day)
    release = release_at(day, began.hour)
    plot = _plot(rng, day, release.version, oddity)
    who = person(seed, plot.lang, int(PEOPLE[plot.lang] * rng.random() ** 1.7))
    lesson_id = plot.lesson.id if plot.lesson else ""
    scene = Scene(rng, phrases, who, began.date(), seed, plot.flaws, lesson_id)
    scene.flaky = creep(plot.intent, day)
    scripts.play(scene, plot.intent)
    scene.turns = scene.turns[:_MAX_TURNS]
    kinds = tuple(scene.happened)
    if plot.lesson and plot.lesson.kind not in kinds:
        raise RuntimeError(f"{lesson_id!r} did not play {plot.lesson.kind!r} in {plot.intent!r}")
    if plot.lesson:
        kinds = (plot.lesson.kind, *(k for k in kinds if k != plot.lesson.kind))
    failed = frozenset(plot.lesson.fails) if plot.lesson else frozenset()
    failed = failed.union(*(SECOND_AXES.get(k, frozenset()) for k in kinds[1:]))
    channel = _channel(rng, plot.intent)
    traces = 1 if channel == "web" else len(scene.turns)
    session = f"sess-{digest(*name, 'session', size=8)}"
    good, bad = FEEDBACK_FAILED if kinds else FEEDBACK_CLEAN
    roll = rng.random()
    feedback = "positive" if roll < good else "negative" if roll < good + bad else ""
    meeting = Meeting(
        channel=channel,
        release=release,
        conversation_id=f"conv-{digest(*name, 'conversation', size=8)}",
        session_id=session,
        trace_ids=tuple(digest(*name, "trace", n) for n in range(traces)),
        start_ns=int(began.timestamp() * 1000) * 10**6,
        feedback="" if channel == "api" else feedback,
    )
    return Conversation(
        trace_id=meeting.trace_ids[0],
        day=began.date(),
        session_id=session,
        intent=plot.intent,
        stakes=STAKES[plot.intent],
        release=release.version,
        channel=channel,
        lang=plot.lang,
        failure_kinds=kinds,
        lesson=plot.lesson,
        failed_axes=failed,
        scene=scene,
        spans=tuple(record(scene, meeting)),
    )


def conversations_on(
    seed: int, start: dt.date, day: int, per_day: int, phrases: Phrases
) -> Iterator[Conversation]:
    """The conversations that start on a day, in no order of time."""
    count = count_on(seed, start, day, per_day)
    today = [x for x, (_, on) in zip(ODDITY_LESSONS, ODDITIES, strict=True) if on == day]
    places = rng_for(seed, start, "oddity", day).sample(range(count), min(len(today), count))
    odd = dict(zip(places, today, strict=False))
    for number in range(count):
        yield converse(seed, start, day, number, phrases, odd.get(number))
