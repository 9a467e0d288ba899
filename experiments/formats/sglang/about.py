"""What the files of SGLang tell, for the tables of docs/formats.md."""

from experiments.formats.base import About, RunFacts

SERVING = About(
    what="SGLang `bench_serving --output-file`",
    run_for_each="line",
    says="load, tokens, throughput, latencies; with `server_info` model, version, parallelism,"
    " memory",
    asks="GPU; without `server_info` model and quantization",
    facts=(
        RunFacts(
            version="with `server_info`",
            model="●",
            quantization="○ name or flag, else ?",
            backend="●",
            gpu="?",
            gpus_used="○ tp × pp × dp",
            lengths="○ means",
            load="●",
            speeds="●",
            power="○ pools × GPUs",
        ),
        RunFacts(
            version="older or without",
            model="?",
            quantization="?",
            backend="○ `--backend`",
            gpu="?",
            lengths="○ means",
            load="●",
            speeds="●",
        ),
    ),
)
BATCH = About(
    what="SGLang `bench_one_batch`, `bench_one_batch_server`",
    run_for_each="line",
    says="batch, lengths, prefill and decode",
    asks="model, quantization, GPU",
    facts=(
        RunFacts(
            model="?",
            quantization="?",
            backend="○",
            gpu="?",
            lengths="●",
            load="● batch",
            speeds="●",
        ),
    ),
)
OFFLINE = About(
    what="SGLang `bench_offline_throughput`",
    run_for_each="line",
    says="requests, tokens, throughput",
    asks="model, quantization, GPU",
    facts=BATCH.facts,
)
