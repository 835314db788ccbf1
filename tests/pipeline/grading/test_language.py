"""The language of short customer texts, and when it is better not told."""

from __future__ import annotations

import pytest

from pipeline.grading.language import detect_language, requested_language

LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pl", "pt")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Could you tell me where my parcel is?", "en"),
        ("Können Sie mir sagen, wo mein Paket ist?", "de"),
        ("Pouvez-vous me dire où est mon colis ?", "fr"),
        ("¿Me puede decir dónde está mi paquete?", "es"),
        ("Mi può dire dove si trova il mio pacco?", "it"),
        ("ok", None),
        ("P-12345678 EMAIL_ADDRESS_BCDFGHJKLMNP", None),
        ('{"status": "the order is on its way to you"}', None),
        ("Nordic Trail Jacket XL", None),  # a product's name is no language
        ("", None),
    ],
)
def test_detect_language(text: str, language: str | None) -> None:
    assert detect_language(text, LANGUAGES, 0.9, 20) == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Please answer in German.", "de"),
        ("auf Englisch bitte", "en"),
        ("en français s'il vous plaît", "fr"),
        ("Is the manual in German?", None),  # about a thing, not about the answer
        ("I live in Germany", None),
    ],
)
def test_requested_language(text: str, language: str | None) -> None:
    assert requested_language(text) == language
