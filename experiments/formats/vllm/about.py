"""What the files of vLLM tell, for the tables of docs/formats.md."""

from experiments.formats.base import About, RunFacts

SERVE = About(
    what="`vllm bench serve --save-result` (benchmark_serving.py): one result, appended ones, "
    "the array of `vllm bench sweep`",
    run_for_each="result",
    says="model, load, tokens, throughput, latencies",
    asks="backend, GPU, mostly the quantization",
    facts=(
        RunFacts(
            model="● alias or path",
            quantization="○ name, else ?",
            backend="?",
            gpu="?",
            gpus_used="○ metadata",
            lengths="○ means",
            load="●",
            speeds="● prompt ○",
            when="● without zone",
        ),
    ),
)
LATENCY = About(
    what="`vllm bench latency --output-json`",
    run_for_each="result",
    says="how long a whole batch takes",
    asks="model, quantization, backend, GPU; batch and lengths",
    facts=(
        RunFacts(
            model="?",
            quantization="?",
            backend="?",
            gpu="?",
            speeds="– whole batch",
        ),
    ),
)
THROUGHPUT = About(
    what="`vllm bench throughput --output-json`",
    run_for_each="result",
    says="requests, tokens in and out together",
    asks="model, quantization, backend, GPU",
    facts=(
        RunFacts(
            model="?",
            quantization="?",
            backend="?",
            gpu="?",
            lengths="● newest, ○ a script's",
            load="○ all at once",
            speeds="● in + out",
        ),
    ),
)
