"""A plain prediction for a machine that nothing is known of: bytes over bandwidth, arithmetic over a rate."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.reports.calibration_document import Predicted
from breakeven.serving.calibrate import CorrectionPrior, Figure

WIDE: dict[Figure, CorrectionPrior] = {
    "output_tok_per_s": CorrectionPrior(1.0, 0.3, 0.1, 3.0),
    "ttft_ms": CorrectionPrior(1.0, 0.3, 0.2, 3.0),
    "tpot_ms": CorrectionPrior(1.0, 0.3, 0.1, 3.0),
}
"""What is believed of such a prediction: it may be off by a factor of three."""


@dataclass(frozen=True)
class RuleOfThumb:
    """A machine as two numbers, a model as one."""

    params_count: float
    bytes_per_param: float = 4.0
    bandwidth_gb_per_s: float = 10.0
    gflops: float = 50.0

    def __call__(self, input_tokens: float, output_tokens: float, concurrency: float) -> Predicted:
        """One step reads all weights and computes one token per user; prompts come in between."""
        read_s = self.params_count * self.bytes_per_param / (self.bandwidth_gb_per_s * 1e9)
        token_s = 2 * self.params_count / (self.gflops * 1e9)
        prefill_s = input_tokens * token_s
        step_s = read_s + concurrency * token_s
        request_s = concurrency * prefill_s + output_tokens * step_s
        return Predicted(
            output_tok_per_s=concurrency * output_tokens / request_s,
            ttft_ms=1e3 * (prefill_s * (concurrency + 1) / 2 + step_s),
            tpot_ms=1e3 * (step_s + (concurrency - 1) * prefill_s / output_tokens),
        )
