"""What a row of the grid is read from: the columns of a ConfigurationRow and their tables."""

from experiments.grid.rows import ConfigurationRow

_SQL = {
    "id": "configuration.id",
    "variant_id": "variant.id",
    "model_name": "variant.model_name",
    "lora_adapter": "variant.lora_adapter",
    "quantization": "variant.quantization",
    "platform_id": "platform.id",
    "platform_key": "platform.key",
    "platform_name": "platform.name",
    "platform_category": "platform.category",
    "run_id": "representative.id",
    "quality_score": "quality_score",
    "quality_protocol": "quality_protocol",
    "quality_ranked": "ranked_quality IS NOT NULL",
}
_OF_RUN = {
    "concurrent_requests",
    "request_rate",
    "load_pattern",
    "context_depth",
    "max_context_length",
    "input_tokens",
    "output_tokens",
    "batch_size",
    "dataset_name",
    "gpu_power_limit_watts",
}


def _sql_of(name: str) -> str:
    return _SQL.get(name, f"{'representative' if name in _OF_RUN else 'configuration'}.{name}")


COLUMNS = ", ".join(_sql_of(name) for name in ConfigurationRow._fields)
WIDTH = len(ConfigurationRow._fields)
TABLES = """
JOIN benchmarks_modelvariant variant ON variant.id = found.variant_id
LEFT JOIN experiments_configuration configuration ON configuration.id = found.cfg_pk
LEFT JOIN hardware_platform platform ON platform.id = configuration.platform_id
LEFT JOIN experiments_testrun representative ON representative.id = configuration.representative_id
"""
"""What COLUMNS are read from, joined to rows `found` with `variant_id`, `cfg_pk` and quality."""
