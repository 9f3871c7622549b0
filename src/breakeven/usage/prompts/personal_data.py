"""Personal data: what presidio's pattern recognisers find in a text, replaced by the name of its kind.

Only patterns and checksums: no language model, so nothing is downloaded and no network is used; and so names of people,
addresses, organisations and everything else that needs understanding stay (`NOT_DETECTED`). The one adapter of
presidio. Its own recogniser of e-mail addresses asks the network for a list of domains and is not used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from breakeven.errors import UsageError

DETECTED: Final[dict[str, str]] = {
    "EMAIL_ADDRESS": "e-mail addresses",
    "PHONE_NUMBER": "phone numbers, international or as written in the US, UK, Germany, France and some more",
    "CREDIT_CARD": "card numbers with a right check digit",
    "IBAN_CODE": "bank accounts (IBAN with right check digits)",
    "IP_ADDRESS": "IP addresses, versions 4 and 6",
    "MAC_ADDRESS": "MAC addresses",
    "CRYPTO": "Bitcoin addresses",
    "US_SSN": "US social security numbers with their separators",
    "UK_NHS": "UK NHS numbers with a right check digit",
    "UK_NINO": "UK national insurance numbers",
    "ES_NIF": "Spanish tax numbers with a right check letter",
    "IT_FISCAL_CODE": "Italian fiscal codes",
    "SECRET": "API keys, bearer tokens, JSON web tokens and private keys of the usual forms",
}
"""Kind -> what it is."""
NOT_DETECTED: Final = (
    "names of people",
    "postal addresses and places",
    "organisations",
    "dates of birth and ages",
    "health, religion and other facts told in words",
    "user names and handles",
    "links and what they hold",
    "licence plates, passports and national numbers of other countries",
    "passwords",
    "anything in images, audio or encoded text",
)
_SCORE_MIN: Final = 0.4
_EMAIL: Final = r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){0,8}\.[A-Za-z]{2,24}\b"
_IP: Final = (
    r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\.?\w)"
    r"|(?<![\w:])(?=[A-Fa-f:]{0,36}[0-9])(?=[0-9A-Fa-f:]{0,36}::|(?:[0-9A-Fa-f]{1,4}:){7})[0-9A-Fa-f:]{3,39}(?![\w:])"
)
"""Presidio's own takes `::` in code for an address."""
_KEYS: Final = (
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]{0,8000}?-----END [A-Z ]*PRIVATE KEY-----"
    r"|\beyJ[A-Za-z0-9_\-]{8,}\.eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}"
    r"|\b(?:sk|pk|rk|gsk|xai|hf|key|ghp|gho|glpat|xox[abp])[-_][A-Za-z0-9_\-]{16,}"
    r"|\bAKIA[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_\-]{30,}"
    r"|(?<=[Bb]earer )[A-Za-z0-9._\-]{20,}"
)


_MAY_BE_A_PHONE: Final = re.compile(r"\d(?:[ ().\-/]{0,3}\d){5}")
"""Looking for phone numbers takes longer than all the rest."""


class PersonalDataRedactor:
    """Replaces what it recognises by `<KIND>`; inside JSON only in its texts, so that it stays JSON."""

    def __init__(self) -> None:
        self._recognizers = _recognizers()

    def redacted(self, texts: Sequence[str | None]) -> list[str | None]:
        """The texts without what was recognised; equal texts are looked at once."""
        known: dict[str, str] = {}
        for text in texts:
            if text is not None and text not in known:
                known[text] = self._whole(text)
        return [None if text is None else known[text] for text in texts]

    def _whole(self, text: str) -> str:
        if text.lstrip().startswith(("[", "{")):
            try:
                return json.dumps(self._inner(json.loads(text)), ensure_ascii=False)
            except (ValueError, RecursionError):
                pass
        return self._plain(text)

    def _inner(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._plain(value)
        if isinstance(value, list):
            return [self._inner(each) for each in value]
        if isinstance(value, dict):
            return {self._plain(key): self._inner(each) for key, each in value.items()}
        return value

    def _plain(self, text: str) -> str:
        recognizers = self._recognizers if _MAY_BE_A_PHONE.search(text) else self._recognizers[:-1]
        spans = sorted(
            (found.start, -found.end, found.entity_type)
            for each in recognizers
            for found in each.analyze(text, each.supported_entities, None)
            if found.score >= _SCORE_MIN
        )
        pieces, at = [], 0
        for start, minus_end, kind in spans:
            if start >= at:
                pieces += [text[at:start], f"<{kind}>"]
            elif -minus_end <= at:
                continue
            at = -minus_end
        return "".join((*pieces, text[at:]))


def _recognizers() -> list[Any]:
    """Presidio's recognisers by pattern that need no network, and ours; the one of phone numbers last."""
    try:
        import presidio_analyzer as presidio
        from presidio_analyzer import predefined_recognizers as ready
    except ImportError:
        raise UsageError(
            "--prompts redact needs presidio-analyzer; pip install breakeven[redact], or choose --prompts drop"
        ) from None
    ours = [
        presidio.PatternRecognizer(kind, patterns=[presidio.Pattern(kind.lower(), pattern, 0.9)])
        for kind, pattern in (("SECRET", _KEYS), ("EMAIL_ADDRESS", _EMAIL), ("IP_ADDRESS", _IP))
    ]
    names = (
        *("CreditCard", "Crypto", "Iban", "MacAddress", "UsSsn", "Nhs", "UkNino", "EsNif", "ItFiscalCode"),
        "Phone",
    )
    return [*ours, *(getattr(ready, f"{name}Recognizer")() for name in names)]
