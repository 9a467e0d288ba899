"""MMLU-Pro: reports and summaries of its scripts."""
