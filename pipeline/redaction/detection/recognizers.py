"""The pattern and checksum recognizers, as Presidio recognizers, and how they are run.

Presidio's own `AnalyzerEngine` is not used: as it comes it downloads a spaCy model, it looks
up its recognizers through a set (so in any order), and a pattern that times out is logged and
its text passes unread. Here recognizers run in a fixed order and a timeout is an error.
"""

from __future__ import annotations

import re
from importlib.metadata import version
from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING, Final

from pipeline.redaction.detection.patterns import CARD, PATTERNS, SECRETS, SURROGATE_LIKE
from pipeline.redaction.detection.rampart import ENTITY_OF_LABEL, Rampart
from pipeline.redaction.detection.segments import blank_blobs
from pipeline.redaction.policy.model import PiiPolicy
from pipeline.redaction.spans import Span

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer, PatternRecognizer, RecognizerResult

__all__ = [
    "PRESIDIO_VERSION",
    "DetectorTimeout",
    "as_presidio",
    "build_recognizers",
    "run_recognizer",
]

# Presidio's recognizers with a checksum or a form that hardly occurs by chance
_PREDEFINED: Final = (
    "IbanRecognizer",
    "CryptoRecognizer",
    "IpRecognizer",
    "MacAddressRecognizer",
    "UsItinRecognizer",
)
# seven digits that stand apart, other than a date or an amount at the start
_SEVEN_DIGITS: Final = re.compile(
    r"(?<![\w$€£.])(?<!\d,)(?!(?:19|20)\d\d-\d\d-\d\d(?!\d))\d(?:[^\w\n]{0,4}\d){6}"
)
_INITIALS: Final = 3
_CAPITALS: Final = str.maketrans(ascii_lowercase, ascii_uppercase)  # one for one, unlike upper()
PRESIDIO_VERSION: Final = f"presidio/{version('presidio-analyzer')}"


class DetectorTimeout(TimeoutError):
    """A pattern did not finish in time, so the text is unread."""


def build_recognizers(policy: PiiPolicy) -> list[EntityRecognizer]:
    """Build the recognizers in the order they run; the user's own patterns come last."""
    import presidio_analyzer.predefined_recognizers as predefined
    from presidio_analyzer import Pattern, PatternRecognizer

    class CardRecognizer(PatternRecognizer):  # type: ignore[misc]
        """Card numbers of the large networks; the Luhn digit decides."""

        def validate_result(self, pattern_text: str) -> bool:
            """Return whether the Luhn check holds."""
            return luhn(pattern_text)

    def of(name: str, entity: str, regex: str, score: float) -> PatternRecognizer:
        # flags=re.MULTILINE keeps case: Presidio's default would ignore it
        return PatternRecognizer(
            entity,
            name=name,
            patterns=[Pattern(name, regex, score)],
            global_regex_flags=re.MULTILINE,
        )

    built: list[EntityRecognizer] = [
        of("surrogate_like", "FORGED", SURROGATE_LIKE, 1.0),
        *(of(name, "SECRET", regex, 1.0) for name, regex in SECRETS),
        *(of(*pattern) for pattern in PATTERNS),
        CardRecognizer(
            "CREDIT_CARD",
            name="card",
            patterns=[Pattern("card", CARD, 0.5)],
            global_regex_flags=re.MULTILINE,
        ),
        *(getattr(predefined, name)() for name in _PREDEFINED),
    ]
    if policy.rule("PHONE_NUMBER").enabled:
        built.append(predefined.PhoneRecognizer(supported_regions=policy.phone_regions, leniency=1))
    if policy.places == "all":
        # "us" is a word, "US" is a country
        short = "|".join(re.escape(c.upper()) for c in policy.countries if len(c) <= _INITIALS)
        built += [
            of("countries_in_capitals", "COUNTRY", rf"\b(?:{short or '(?!)'})\b", 1.0),
            PatternRecognizer(
                "COUNTRY",
                name="countries",
                deny_list=[c for c in policy.countries if len(c) > _INITIALS],
            ),
        ]
    for custom in policy.patterns:
        if custom.regex:
            built.append(of(custom.name, custom.entity, custom.regex, custom.score))
        if custom.terms:
            built.append(
                PatternRecognizer(
                    custom.entity,
                    name=f"{custom.name}_terms",
                    deny_list=list(custom.terms),
                    deny_list_score=custom.score,
                )
            )
    return built


def as_presidio(rampart: Rampart, policy: PiiPolicy) -> EntityRecognizer:
    """Wrap the name and address detector, with the policy's thresholds, as a recognizer."""
    from presidio_analyzer import EntityRecognizer, RecognizerResult

    thresholds = {entity: policy.rule(entity).threshold for entity in ENTITY_OF_LABEL.values()}

    class RampartRecognizer(EntityRecognizer):  # type: ignore[misc]
        """Names, streets, cities and identity numbers by Rampart's token classifier."""

        def load(self) -> None:
            """Nothing to do: the model is loaded."""

        def analyze(
            self, text: str, entities: list[str], nlp_artifacts: object = None
        ) -> list[RecognizerResult]:
            """Return the model's spans of the wanted entities."""
            wanted = frozenset(entities)
            return [
                RecognizerResult(span.entity, span.start, span.end, span.score)
                for span in rampart.spans(text, thresholds)
                if span.entity in wanted
            ]

    return RampartRecognizer(sorted(set(ENTITY_OF_LABEL.values())), name="rampart")


def luhn(text: str) -> bool:
    """Return whether the digits of `text` pass the Luhn check."""
    digits = [int(c) for c in text if c.isdigit()][::-1]
    return sum(digits[::2]) % 10 == -sum(sum(divmod(2 * d, 10)) for d in digits[1::2]) % 10


def run_recognizer(recognizer: EntityRecognizer, text: str, timeout: float) -> list[Span]:
    """Run one recognizer over `text`.

    Raises:
        DetectorTimeout: a pattern took longer than `timeout` seconds.
    """
    from presidio_analyzer import PatternRecognizer

    if type(recognizer).analyze is PatternRecognizer.analyze:
        return _run_patterns(recognizer, text, timeout)
    if recognizer.supported_entities == ["PHONE_NUMBER"]:
        # phonenumbers reads a text once per region: slow, and needless without digits
        text = blank_blobs(text)
        if not _SEVEN_DIGITS.search(text):
            return []
    if recognizer.supported_entities == ["IBAN_CODE"]:
        text = text.translate(_CAPITALS)  # its checksum knows capitals alone
    results = recognizer.analyze(text, recognizer.supported_entities, None)
    return [Span(r.start, r.end, r.entity_type, round(r.score, 4)) for r in results]


def _run_patterns(recognizer: PatternRecognizer, text: str, timeout: float) -> list[Span]:
    """Presidio's pattern loop, but a timeout is raised and not logged away."""
    import regex  # type: ignore[import-untyped]

    spans = []
    for pattern in recognizer.patterns:
        flags = recognizer.global_regex_flags
        if pattern.compiled_regex is None or pattern.compiled_with_flags != flags:
            pattern.compiled_regex = regex.compile(pattern.regex, flags=flags)
            pattern.compiled_with_flags = flags
        try:
            for match in pattern.compiled_regex.finditer(text, timeout=timeout):
                value = match[0]
                valid = recognizer.validate_result(value)
                if not value or valid is False or recognizer.invalidate_result(value):
                    continue
                score = 1.0 if valid else pattern.score
                entity = recognizer.supported_entities[0]
                spans.append(Span(match.start(), match.end(), entity, score))
        except TimeoutError:
            raise DetectorTimeout(f"pattern {pattern.name!r} took over {timeout:g} s") from None
    return spans
