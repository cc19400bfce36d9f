"""Names that are not PaddleNLP's keys: the release's, numbered ones, other models', and those of unknown tensors."""
