"""How a score was measured, and which of it decides whether two scores may be ranked together."""

import hashlib
from dataclasses import dataclass

UNSPECIFIED_PROTOCOL = "unspecified"
_LONGEST_LABEL = 60


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """The evaluation set-up of a score; None = not known."""

    harness: str | None = None
    harness_version: str | None = None
    task_version: str | None = None
    metric_filter: str | None = None
    shots: int | None = None
    chat_template: str | None = None
    thinking_mode: str | None = None
    kv_cache_type: str | None = None

    @property
    def key(self) -> str:
        """Return a readable text that is equal for scores which may be ranked together.

        All fields count but the harness version: harnesses number their tasks apart from their
        releases, so a release alone does not change a score, and counting it would leave every
        score alone in its protocol. What is unknown is left out, so an unknown field never equals
        a known one. Long values (whole chat templates) are shortened to a hash.
        """
        parts = {
            "harness": self.harness,
            "task version": self.task_version,
            "metric": self.metric_filter,
            "shots": None if self.shots is None else str(self.shots),
            "chat template": self.chat_template,
            "thinking": self.thinking_mode,
            "KV cache": self.kv_cache_type,
        }
        known = [f"{name} {_label(value)}" for name, value in parts.items() if value is not None]
        return "; ".join(known) or UNSPECIFIED_PROTOCOL


def _label(value: str) -> str:
    text = " ".join(value.split()).casefold()
    if len(text) <= _LONGEST_LABEL:
        return text
    return "sha256:" + hashlib.sha256(value.encode()).hexdigest()[:12]
