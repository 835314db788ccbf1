"""What is personal data here: `registry/pii_policy.yaml`, read and checked."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal

import regex  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipeline.redaction.policy.fields import FieldRule, FieldRules
from pipeline.registry.loading import RegistryError

__all__ = [
    "CustomPattern",
    "EntityRule",
    "PiiPolicy",
    "PolicyRefused",
    "Replacement",
    "Style",
    "squeeze",
]

Style = Literal["typed", "format_preserving"]
Share = Annotated[float, Field(ge=0, le=1)]
_NOT_WORD: Final = re.compile(r"[\W_]+")


class PolicyRefused(RegistryError):
    """The policy file cannot be used; the message names the field and what is wrong."""


@functools.lru_cache(maxsize=16_384)
def squeeze(term: str) -> str:
    """Reduce a key or term to its letters and digits, so `firstName` is `first_name`."""
    return _NOT_WORD.sub("", term).casefold()


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EntityRule(_Strict):
    """One type of personal data: whether it is masked, and from which score.

    Attributes:
        threshold: detections below this score are dropped.
        context: words one of which must stand near; empty asks for none.
    """

    enabled: bool = True
    threshold: Share = 0.5
    context: tuple[str, ...] = ()


class CustomPattern(_Strict):
    """A pattern or deny-list of the user's own, with texts it must and must not match."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    entity: str = Field(pattern=r"^[A-Z][A-Z_]*$")
    regex: str | None = None
    terms: tuple[str, ...] = ()
    score: Share = 0.9
    matches: tuple[str, ...] = ()
    leaves_alone: tuple[str, ...] = ()

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                regex.compile(value)  # the engine that will run it, under a timeout
            except regex.error as error:
                raise ValueError(f"not a regular expression: {error}") from None
        return value


class Replacement(_Strict):
    """What stands in the place of personal data; a change of it is a change of the key.

    Attributes:
        scope: where equal values have equal surrogates: in the whole data directory, or in one
            trace alone.
        style: `typed` (PERSON_...), or `format_preserving`: of the same form, where there is one.
        styles: the style of single entities.
    """

    scope: Literal["dataset", "trace"] = "dataset"
    style: Style = "typed"
    styles: Mapping[str, Style] = Field(default_factory=dict)


class PiiPolicy(_Strict):
    """What to mask, where personal data is known by its key, and what may pass.

    Attributes:
        entities: rules by entity; an entity not named is masked from score 0.5.
        keys: JSON keys that name a value of an entity, by entity.
        person_parents: keys under which, or beside which, a bare `name` is a person's.
        keyed_maps: keys whose map is keyed by an id of an entity (`payment_methods`).
        ambiguous_names: names that are also words; masked beside another name only.
        allow_terms: texts never masked by a detector, compared without case.
        allow_keys: JSON keys whose value only exact patterns may mask (no name detector).
        public_name_keys: keys whose values name things, not people; a `name` beside one of
            them is a thing's too. A detector's guess inside such a name is dropped.
        attribute_keys: span attributes that pass; every other one is dropped.
        patterns: the user's own patterns.
        fields: what happens to the fields of some paths; the first that fits counts.
        surrogates: what stands in the place of personal data.
        phone_regions: where a number without a country code may come from.
        countries: names of countries; they pass unless `places` says `all`.
        places: which cities count that stand alone: those where someone is said to live or to
            be (`at_home`), or `all`, and countries with them.
        max_string_chars: a longer string quarantines its record.
        max_record_chars: a larger record is quarantined.
        regex_timeout_seconds: a pattern that takes longer quarantines the record.
    """

    entities: Mapping[str, EntityRule] = Field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    person_parents: tuple[str, ...] = ()
    keyed_maps: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    ambiguous_names: tuple[str, ...] = ()
    allow_terms: tuple[str, ...] = ()
    allow_keys: tuple[str, ...] = ()
    attribute_keys: tuple[str, ...] = ()
    patterns: tuple[CustomPattern, ...] = ()
    phone_regions: tuple[str, ...] = ("US", "GB")
    public_name_keys: tuple[str, ...] = ()
    fields: tuple[FieldRule, ...] = ()
    surrogates: Replacement = Replacement()
    countries: tuple[str, ...] = ()
    places: Literal["at_home", "all"] = "at_home"
    max_string_chars: int = Field(default=16_000_000, gt=0)
    max_record_chars: int = Field(default=32_000_000, gt=0)
    regex_timeout_seconds: float = Field(default=5.0, gt=0)

    @functools.cached_property
    def entity_of_key(self) -> Mapping[str, str]:
        """The entity that each squeezed JSON key names."""
        return {squeeze(key): entity for entity, keys in self.keys.items() for key in keys}

    @functools.cached_property
    def entity_of_map(self) -> Mapping[str, str]:
        """The entity of the keys below each squeezed map key."""
        return {squeeze(key): entity for entity, keys in self.keyed_maps.items() for key in keys}

    @functools.cached_property
    def person_parent_set(self) -> frozenset[str]:
        """`person_parents`, squeezed."""
        return frozenset(map(squeeze, self.person_parents))

    @functools.cached_property
    def ambiguous(self) -> frozenset[str]:
        """`ambiguous_names`, case-folded."""
        return frozenset(name.casefold() for name in self.ambiguous_names)

    @functools.cached_property
    def allowed(self) -> frozenset[str]:
        """`allow_terms` and the countries that pass, case-folded."""
        countries = self.countries if self.places == "at_home" else ()
        return frozenset(term.casefold() for term in (*self.allow_terms, *countries))

    @functools.cached_property
    def quiet_keys(self) -> frozenset[str]:
        """`allow_keys`, squeezed."""
        return frozenset(map(squeeze, self.allow_keys))

    @functools.cached_property
    def public_keys(self) -> frozenset[str]:
        """`public_name_keys`, squeezed."""
        return frozenset(map(squeeze, self.public_name_keys))

    @functools.cached_property
    def _fields(self) -> FieldRules:
        return FieldRules(self.fields)

    def field_rule(self, path: tuple[str, ...]) -> FieldRule | None:
        """The rule of the field at `path`, `*` for a list index; None where there is none."""
        return self._fields.at(path)

    def rule(self, entity: str) -> EntityRule:
        """The rule of `entity`, the default one where the policy is silent."""
        return self.entities.get(entity, _DEFAULT)


_DEFAULT: Final = EntityRule()
