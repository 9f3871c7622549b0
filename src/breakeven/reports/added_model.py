"""Added model page: what `breakeven catalog add-model` counted, as a document and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from breakeven.catalog.added_model import AddedModel
from breakeven.reports.safe_text import safe

if TYPE_CHECKING:
    from rich.console import Console

_BILLION = 1e9


def added_model_page(model: AddedModel, folder: str, *, written: bool) -> dict[str, Any]:
    """The entry, and whether and where it was written."""
    entry = {**model.entry, "source": {**model.entry["source"], "read": model.entry["source"]["read"].isoformat()}}
    return {"name": model.name, "written": written, "folder": folder, "entry": entry}


def render_added_model(page: dict[str, Any], console: Console) -> None:
    """The verdict first, then what was counted."""
    entry, source = page["entry"], page["entry"]["source"]
    place = f"written to {page['folder']}" if page["written"] else "not written (--dry-run)"
    console.print(f"{safe(page['name'])}: {_params(entry)}; {safe(place)}.", style="bold", soft_wrap=True, markup=False)
    sizes = ", ".join(f"{key} {size:,.4g} GB" for key, size in entry["weights_gb"].items())
    lines = {
        "weights": f"{sizes} (published in {entry['native_precision']})",
        "KV cache": _cache(entry),
        "context": f"{entry['context_tokens']:,} tokens",
        "source": f"{source['title']}, {source['link']}; grade {source['grade']}",
        "note": entry["note"],
    }
    for label, text in lines.items():
        console.print(f"  {label:<9} {safe(text)}", soft_wrap=True, markup=False)
    if source["grade"] == "quoted":
        console.print(
            "  The file does not say whose configuration it is ('_name_or_path'): graded quoted, not official.",
            soft_wrap=True,
        )


def _params(entry: dict[str, Any]) -> str:
    total, active = (entry[key] / _BILLION for key in ("params_count", "active_params_count"))
    experts = entry.get("experts_count", 0)
    if not experts:
        return f"{total:.4g} B parameters, dense"
    return f"{total:.4g} B parameters, {active:.4g} B active, {entry['experts_per_token_count']} of {experts} experts"


def _cache(entry: dict[str, Any]) -> str:
    text = f"{entry['kv_bytes_per_token']:,.0f} bytes per token at 16 bit"
    if entry.get("sliding_layers_count"):
        text += f"; {entry['sliding_layers_count']} layers keep {entry['sliding_window_tokens']:,} tokens"
    if entry.get("state_layers_count"):
        text += f"; {entry['state_layers_count']} layers keep a state, {entry['state_gb']:.3g} GB per sequence"
    return text + ("; one latent, on every rank" if entry.get("latent_attention") else "")
