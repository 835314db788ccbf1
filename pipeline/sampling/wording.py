"""Words by which signals are recognised, in the languages of the registry's exemplars (RE2)."""

from __future__ import annotations

import re2

__all__ = ["ASKS_FOR_PERSON", "CONTRADICTS", "HEDGES"]


def _any_of(*patterns: str) -> re2._Regexp:
    return re2.compile("(?i)" + "|".join(f"(?:{pattern})" for pattern in patterns))


HEDGES = _any_of(
    r"\bI(?: am|'m|’m) not (?:entirely |completely |quite |fully |100 ?% )?(?:sure|certain)\b",
    r"\b(?:probably|presumably|possibly|perhaps|I believe|I assume|I guess|I suppose)\b",
    r"\b(?:might|may|could) be\b|\bit seems\b|\bas far as I (?:know|can tell)\b|\bshould be fine\b",
    r"\b(?:vermutlich|wahrscheinlich|möglicherweise|eventuell|soweit ich weiß|ich glaube)\b",
    r"\bnicht (?:ganz )?sicher\b",
    r"\b(?:probablement|peut-être|sans doute|je crois|je pense|il me semble)\b",
    r"\bpas (?:tout à fait )?(?:sûr|sûre|certain|certaine)\b",
    r"\b(?:probablemente|posiblemente|quizás?|tal vez|creo que|me parece|supongo)\b",
    r"\b(?:probabilmente|forse|credo che|mi sembra|suppongo|non sono sicur[oa])\b",
)
"""An agent that is unsure of what it says."""

CONTRADICTS = _any_of(
    r"\b(?:that|this|it)(?:'s|’s| is| was)? (?:just )?(?:wrong|incorrect)\b",
    r"\b(?:that|this|it)(?:'s|’s| is| was) (?:just )?not (?:right|true|correct)\b",
    r"\bnot (?:at all )?what I (?:asked|meant|said|wanted|ordered)\b|\byou(?:'re|’re| are) wrong\b",
    r"\bI (?:already|just) (?:said|told|gave|wrote|sent)\b|\bI (?:never|didn't|didn’t) (?:say|ask)",
    r"\b(?:that|this|it) (?:can't|can’t|cannot) be (?:right|true)\b|\bare you sure\b",
    r"\byou (?:misunderst\w+|got (?:it|that|this) wrong|didn't answer|did not answer)\b",
    r"\b(?:stimmt|ist) (?:so )?(?:nicht|falsch)\b|\bhabe ich (?:doch )?(?:schon|bereits)\b",
    r"\b(?:doesn't|does not|isn't|is not) (?:make sense|correct|right|true)\b",
    r"\bdanach habe ich nicht gefragt\b|\bsind sie sicher\b",
    r"\bce n'est pas (?:vrai|correct|exact|ce que)|\bc'est faux\b|\bje (?:vous )?l'ai déjà\b",
    r"\bno es (?:cierto|verdad|correcto|lo que)\b|\bya (?:se )?l[eoa]s? (?:he )?(?:di|dije)\b",
    r"\bnon è (?:vero|corretto|giusto|quello che)\b|\bl'ho già\b|\bgliel'ho già\b",
)
"""A user who says that an answer is wrong or was not asked for."""

ASKS_FOR_PERSON = _any_of(
    r"\b(?:speak|talk|chat|transfer|connect|put me through)\b.{0,25}"
    r"\b(?:human|person|someone|representative|manager|supervisor|colleague|agent)\b",
    r"\b(?:real|actual|live) (?:human|person|agent)\b|\bhuman (?:agent|being|support)\b",
    r"\b(?:mit|an) (?:einem|einen) (?:menschen|mitarbeiter|vorgesetzten)\b",
    r"\b(?:parler|transfér\w+)\b.{0,20}\b(?:quelqu'un|conseiller|humain|responsable)\b",
    r"\b(?:hablar|pas\w+)\b.{0,20}\b(?:alguien|persona|agente|supervisor|humano)\b",
    r"\bparlare\b.{0,20}\b(?:qualcuno|persona|operatore|responsabile)\b",
)
"""A user who asks for a person."""
