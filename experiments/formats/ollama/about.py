"""What Ollama's answers tell, for the tables of docs/formats.md."""

from experiments.formats.base import About, RunFacts

RESPONSE = About(
    what="Ollama's answer to `/api/generate` or `/api/chat`: one, several, or streamed chunks",
    run_for_each="answer",
    says="model, tokens, speed of the answer; prompt speed where the model was loaded for it",
    asks="GPU, and the quantization unless the model's tag says it",
    facts=(
        RunFacts(
            model="● tag",
            quantization="○ tag, else ?",
            backend="●, no version",
            gpu="?",
            lengths="●",
            load="○ one at a time",
            speeds="○ prompt when cold",
            when="●",
        ),
    ),
)
