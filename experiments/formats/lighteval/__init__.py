"""lighteval: results JSON, with the model in `config_general` or in a `model_config` of its own."""
