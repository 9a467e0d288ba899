"""optimum-benchmark: reports as JSON, and the rows of the LLM-Perf leaderboard."""
