"""vLLM's benchmarks: serve, latency, throughput."""
