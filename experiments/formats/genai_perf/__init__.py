"""GenAI-Perf and AIPerf: JSON and CSV."""
