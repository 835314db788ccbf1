"""Rules about what must hold over turns: the language, what the user laid down, the register."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pipeline.grading.conversation import Call, Conversation, Message
from pipeline.grading.facts import facts_of
from pipeline.grading.language import detect_language, likely_language, requested_language
from pipeline.grading.lexicons import lexicon, says
from pipeline.grading.rules.channels import forbidden_by, takes
from pipeline.grading.rules.kinds import PASS, SKIPPED, Finding, Scope, checks, failed
from pipeline.grading.rules.style import other_voice
from pipeline.registry.rules import ForgottenConstraint, Language, Register

__all__: list[str] = []


@checks(Language)
def language(conversation: Conversation, params: Language, scope: Scope) -> Finding:
    """Every answer is in the language that the user asked for, else writes in.

    A turn too short to tell keeps the language of the turns before. `late` slips come after an
    answer that had it right, `first` ones before any.
    """
    wanted: str | None = None
    requested: str | None = None
    right_before = 0
    before = ""
    told = False
    for _, user, answer in conversation.answered:
        requested = requested_language(user.text) or requested
        wanted = requested or _tell(user.text, params) or wanted
        if wanted is None:
            wanted = _tell(f"{before}\n{user.text}", params)
        before = user.text
        spoken = _tell(answer.text, params) if wanted is not None else None
        if wanted is None or spoken is None:
            continue
        told = True
        if spoken == wanted:
            right_before += 1
            continue
        if not requested and likely_language(user.text, params.languages) == spoken:
            continue  # too short to be sure, but it looks as if the user had changed
        if params.when == "always" or (params.when == "late") == (right_before > 0):
            late = right_before > 0
            return failed(
                "An answer is in another language than "
                + ("the ones before and than " if late else "")
                + ("the one asked for." if requested else "the user's."),
                user.ref,
                answer.ref,
                subject=f"{wanted}->{spoken}",
                error_class="language_drift" if late else "wrong_language",
            )
    return PASS if told else SKIPPED


def _tell(text: str, params: Language) -> str | None:
    return detect_language(text, params.languages, params.confidence, params.letters)


_AMOUNT: Final = re.compile(
    r"\s+((?:€|\$|£|EUR|USD|GBP)?\s?\d[\d.,]*\s?(?:€|\$|£|EUR|USD|GBP|euros?|dollars?|pounds?)?)",
    re.IGNORECASE,
)
_MONEY: Final = ("amount", "price", "total")


@checks(ForgottenConstraint)
def forgotten_constraint(
    conversation: Conversation, params: ForgottenConstraint, scope: Scope
) -> Finding:
    """A channel the user ruled out, or a limit the user set, still holds in later turns."""
    no_calls: Message | None = None
    ruled_out: dict[str, Message] = {}
    limit: tuple[Message, float] | None = None
    for turn, user, answer in conversation.answered:
        source = next(
            (m for c, m in sorted(ruled_out.items()) if takes(answer.text, c, user.text)), None
        )
        if no_calls and says(answer.text, "announces_call") and not says(answer.text, "refuses"):
            source = no_calls
        if source:
            return failed(
                "The user ruled out a channel early and the agent falls back on it.",
                source.ref,
                answer.ref,
                subject="channel",
                error_class="channel_forgotten",
            )
        over = limit and next((c for c in turn.calls if _spends(c, limit[1])), None)
        if limit and over:
            return failed(
                "The user set a limit early and a later call goes beyond it.",
                limit[0].ref,
                over.ref,
                subject="limit",
                error_class="limit_forgotten",
            )
        for channel in forbidden_by(user.text):
            ruled_out.setdefault(channel, user)
        no_calls = user if says(user.text, "rules_out_calls") else no_calls
        amount = _limit_of(user.text)
        limit = (user, amount) if amount is not None else limit
    return PASS if no_calls or ruled_out or limit else SKIPPED


def _spends(call: Call, most: float) -> bool:
    values = call.arguments.items() if isinstance(call.arguments, Mapping) else ()
    return any(k in _MONEY and isinstance(v, int | float) and v > most for k, v in values)


def _limit_of(text: str) -> float | None:
    """The amount of money that follows words such as "at most"."""
    for before in lexicon("sets_limit").finditer(text):
        after = _AMOUNT.match(text, before.end())
        for fact in facts_of(after.group(1)) if after else ():
            if fact.kind == "amount" and isinstance(fact.value, float):
                return fact.value
    return None


_FORMAL: Final = {
    "de": re.compile(r"\b(?:Sie|Ihnen|Ihre[nmrs]?|Ihr)\b"),
    "fr": re.compile(r"\b(?:vous|votre|vos)\b", re.IGNORECASE),
    "es": re.compile(r"\b(?:usted|ustedes)\b", re.IGNORECASE),
}
_FAMILIAR: Final = {
    "de": re.compile(r"\b(?:du|dir|dich|deine?[nmrs]?)\b", re.IGNORECASE),
    "fr": re.compile(r"\b(?:tu|toi|tes|ton|ta)\b", re.IGNORECASE),
    "es": re.compile(r"\b(?:tú|tienes|puedes|quieres|contigo)\b", re.IGNORECASE),
}


@checks(Register)
def register(conversation: Conversation, params: Register, scope: Scope) -> Finding:
    """Later answers keep the form of address, the plain style and the persona of the first."""
    if len(conversation.answered) < 2:
        return SKIPPED
    answers = [answer for _, _, answer in conversation.answered]
    first = answers[0]
    for answer in answers[1:]:
        for pattern, code in ((lexicon("slang"), "slang"), (lexicon("claims_persona"), "persona")):
            if pattern.search(answer.text) and not pattern.search(first.text):
                return failed(
                    "A later answer leaves the register or the persona of the first.",
                    first.ref,
                    answer.ref,
                    error_class=f"{code}_drift",
                )
        if _introduces_stranger(conversation, answer):
            return failed(
                "A later answer introduces the agent by a name it did not have before.",
                first.ref,
                answer.ref,
                error_class="persona_drift",
            )
        for code, formal in _FORMAL.items():
            familiar = _FAMILIAR[code]
            if (
                len(formal.findall(first.text)) >= 2
                and not familiar.search(first.text)
                and len(familiar.findall(answer.text)) >= 2
                and not formal.search(answer.text)
            ):
                return failed(
                    "A later answer addresses the user in another form than the first.",
                    first.ref,
                    answer.ref,
                    subject=code,
                    error_class="address_drift",
                )
    voices = other_voice(conversation)
    if voices:
        return failed(
            "A later answer speaks in another voice than the first.",
            *(message.ref for message in voices),
            error_class="voice_drift",
        )
    return PASS


_INTRODUCES: Final = re.compile(
    r"\b(?:i'm|i am|my name is|ich bin|mein name ist|je suis|je m'appelle|soy|me llamo|sono|"
    r"mi chiamo|(?:this is|it's|it is|hier ist|c'est) (?:your|ihre?|deine?|votre|ton))\b"
    r"[^.!?\n]{0,30}?\b(PERSON_[A-Z]{12})\b",
    re.IGNORECASE,
)


def _introduces_stranger(conversation: Conversation, answer: Message) -> bool:
    """Whether an answer gives the agent a name that no user, tool or prompt had mentioned."""
    match = _INTRODUCES.search(answer.text)
    if match is None:
        return False
    known = [conversation.system, conversation.user_text]
    known += [call.result_text for call in conversation.calls]
    return not any(match.group(1) in text for text in known)
