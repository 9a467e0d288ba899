"""What the files of llm-d benchmark report tell, for the tables of docs/formats.md."""

from experiments.formats.base import About, RunFacts

REPORT = About(
    what="llm-d benchmark report 0.1, 0.2, 0.2.1",
    run_for_each="file",
    says="the tool that measured, its figures with units; engine, accelerators, parallelism, "
    "arguments",
    asks="from 0.2 on mostly the quantization; all of the stack where the server was there before",
    facts=(
        RunFacts(
            version="0.1",
            model="●",
            quantization="●",
            backend="●",
            gpu="●",
            gpus_used="●",
            lengths="●",
            load="● of the tool's arguments",
            speeds="●",
            when="●",
        ),
        RunFacts(
            version="0.2 and 0.2.1",
            model="●",
            quantization="○ name, else ?",
            backend="●",
            gpu="●",
            gpus_used="○ count × replicas",
            lengths="●",
            load="●",
            speeds="●",
            when="●",
        ),
    ),
)
