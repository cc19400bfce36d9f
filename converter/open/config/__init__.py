"""The config next to the weights: `config.json`, `model_config.json`, labels, refused and ignored fields."""
