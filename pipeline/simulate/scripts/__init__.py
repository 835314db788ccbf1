"""How every conversation goes, by intent; a planted failure bends the script of its intent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pipeline.simulate.scene import Scene

from . import account, claims, customs, drift, followups, orders, rules, shop

__all__ = ["play"]

Script = Callable[[Scene], None]
_SCRIPTS: Final[dict[str, Script]] = {
    script.__name__: script
    for script in (
        account.account_login, account.data_export, account.newsletter, account.order_summary,
        claims.complaint, claims.damaged_item, claims.missing_parcel, claims.payment_failed,
        claims.refund_request, claims.voucher_problem, customs.customs_declaration,
        orders.cancel_order, orders.change_address, orders.exchange_item, orders.invoice_request,
        orders.order_status, orders.return_item, orders.track_parcel, rules.delivery_time,
        rules.price_match, rules.returns_policy, rules.warranty_policy, shop.gift_card_balance,
        shop.product_question, shop.shipping_cost, shop.size_advice, shop.stock_question,
    )
}  # fmt: skip
_DRIFTS: Final[dict[str, Script]] = {
    "drift-language": drift.language,
    "drift-channel": drift.channel,
    "drift-budget": drift.budget,
    "drift-persona": drift.persona,
}


def play(s: Scene, intent: str) -> None:
    """Write the conversation of an intent, from the first message to the goodbye.

    Raises:
        KeyError: an intent without a script.
    """
    script = _DRIFTS.get(s.lesson, _SCRIPTS[intent])
    if not s.planned and s.lang == "en" and intent in ("order_status", "product_question"):
        kept = drift.channel if intent == "order_status" else drift.budget
        script = kept if s.chance(0.1) else script
    elif s.flaw("wrong_language"):
        s.answer_lang = _other_language(s)
    script(s)
    if intent == "order_summary":
        return
    if s.lesson.startswith("oddity-"):
        s.turns[-1].answer = s.phrase(s.lesson.replace("-", "."))
        s.mark("oddity")
        return
    followups.wind_down(s)


def _other_language(s: Scene) -> str:
    if s.lesson == "lang-neighbour":
        return {"es": "it", "it": "es", "fr": "es", "de": "fr"}[s.lang]
    return "de" if s.lang == "en" else "en"
