"""What the results of serving benchmarks tell, as a format names it in `fills`."""

SERVING_FILLS = (
    *("concurrent_requests", "input_tokens", "output_tokens", "tokens_per_second"),
    *("total_tokens_per_second", "requests_per_second", "ttft_ms", "tpot_ms", "e2e_latency_ms"),
    "error_rate",
)
"""Load, lengths and figures that all of them tell."""
