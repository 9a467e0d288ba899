"""Where tools and standards say how they compute what they print."""

LLAMA_BENCH = "https://github.com/ggml-org/llama.cpp/tree/master/tools/llama-bench"
VLLM_BENCH = "https://github.com/vllm-project/vllm/blob/main/vllm/benchmarks/serve.py"
VLLM_LATENCY = "https://github.com/vllm-project/vllm/blob/main/vllm/benchmarks/latency.py"
SGLANG_ONE_BATCH = (
    "https://github.com/sgl-project/sglang/blob/main/python/sglang/bench_one_batch.py"
)
SGLANG_SERVING = "https://github.com/sgl-project/sglang/blob/main/python/sglang/bench_serving.py"
SGLANG_MEMORY = (
    "https://github.com/sgl-project/sglang/blob/main/python/sglang/srt/managers/scheduler.py"
)
GUIDELLM = "https://github.com/vllm-project/guidellm/blob/main/docs/guides/metrics.md"
GUIDELLM_FIRST = (
    "https://github.com/vllm-project/guidellm/blob/v0.3.1/src/guidellm/benchmark/benchmark.py"
)
AIPERF = "https://github.com/ai-dynamo/aiperf/blob/main/docs/metrics-reference.md"
GENAI_PERF = "https://docs.nvidia.com/nim/benchmarking/llm/latest/metrics.html"
LLMPERF = "https://github.com/ray-project/llmperf/blob/main/token_benchmark_ray.py"
INFERENCEX = "https://github.com/SemiAnalysisAI/InferenceX"
LLM_BENCH = "https://github.com/lhl/strix-halo-testing/tree/main/llm-bench"
MLPERF = "https://github.com/mlcommons/inference_policies/blob/master/power_measurement.adoc"
LOADGEN = "https://github.com/mlcommons/inference_policies/blob/master/inference_rules.adoc"
OLLAMA = "https://github.com/ollama/ollama/blob/main/docs/api.md"
OPTIMUM_MEMORY = "https://github.com/huggingface/optimum-benchmark/blob/main/optimum_benchmark/trackers/memory.py"
OPTIMUM_ENERGY = "https://github.com/huggingface/optimum-benchmark/blob/main/optimum_benchmark/trackers/energy.py"
