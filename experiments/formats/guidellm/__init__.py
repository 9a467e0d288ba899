"""GuideLLM: JSON, YAML and CSV of its versions."""
