"""The llm-d benchmark report."""
