"""llmperf: summaries."""
