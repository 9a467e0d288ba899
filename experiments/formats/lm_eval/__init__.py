"""lm-evaluation-harness: JSON of its versions, and its table."""
