"""The columns of a run by the part of its document that fills them."""

WORKLOAD_FIELDS = (
    "load_kind",
    "concurrent_requests",
    "request_rate",
    "input_tokens",
    "output_tokens",
    "configured_input_tokens",
    "configured_output_tokens",
    "context_depth",
    "max_context_length",
    "batch_size",
    "load_pattern",
    "dataset_name",
)
SETUP_FIELDS = (
    "tensor_parallel",
    "pipeline_parallel",
    "expert_parallel",
    "nodes",
    "speculation",
    "kv_cache_type",
    "gpu_power_limit_watts",
)
RUN_FIELDS = (
    "backend_version",
    "tool",
    "tool_version",
    "status",
    "complete",
    "zone_known",
    "notes",
    "source_url",
)
VARIANT_FIELDS = ("model_name", "quantization", "lora_adapter")
