"""What the files of GenAI-Perf and AIPerf tell, for the tables of docs/formats.md."""

from experiments.formats.base import About, RunFacts

JSON = About(
    what="AIPerf's `profile_export_aiperf.json`, GenAI-Perf's `profile_export_genai_perf.json`",
    run_for_each="result",
    says="model, load, lengths, failures; GPUs, power and memory where telemetry was read",
    asks="quantization, backend, the GPU without telemetry",
    facts=(
        RunFacts(
            version="GenAI-Perf 2024 (flat `input_config`)",
            model="●",
            quantization="○ name, else ?",
            backend="? but Triton's",
            gpu="?",
            lengths="● real and configured",
            load="●",
            speeds="●",
        ),
        RunFacts(
            version="GenAI-Perf 2025 (sections, `telemetry_stats`)",
            model="●",
            quantization="○ name, else ?",
            backend="? but Triton's",
            gpu="?",
            gpus_used="○ telemetry",
            lengths="● real and configured",
            load="●",
            speeds="●",
            power="● telemetry",
        ),
        RunFacts(
            version="AIPerf 2025-11 (`telemetry_data`, no version)",
            model="●",
            quantization="○ name, else ?",
            backend="?",
            gpu="● telemetry, else ?",
            gpus_used="○ telemetry",
            lengths="● real and configured",
            load="●",
            speeds="●",
            power="● telemetry",
            when="● without zone",
        ),
        RunFacts(
            version="AIPerf schema 1.x (`aiperf_version`, `phases`)",
            model="●",
            quantization="○ name, else ?",
            backend="?",
            gpu="● telemetry, else ?",
            gpus_used="○ telemetry",
            lengths="● real, as far as written",
            load="● of the measured phase",
            speeds="●",
            power="● telemetry",
            when="●",
        ),
    ),
)
CSV = About(
    what="AIPerf's and GenAI-Perf's CSV: stacked tables",
    run_for_each="file",
    says="figures, real lengths; GPUs where AIPerf read them",
    asks="model, quantization, backend, the GPU without telemetry; the load",
    facts=(
        RunFacts(
            model="?",
            quantization="?",
            backend="?",
            gpu="● AIPerf's telemetry, else ?",
            gpus_used="○",
            lengths="● real",
            load="?",
            speeds="● rounded",
            power="● AIPerf's telemetry",
        ),
    ),
)
