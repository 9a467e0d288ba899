"""What the serving benchmarks of vLLM and SGLang share, and their console output."""
