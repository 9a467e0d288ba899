"""SGLang's benchmarks: serving, one batch, offline throughput."""
