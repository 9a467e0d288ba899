"""inference-perf: lifecycle reports."""
