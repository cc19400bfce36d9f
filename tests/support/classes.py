"""PaddleNLP's classes, of every family."""

from __future__ import annotations

from mappings import all_families

SOURCE_CLASSES = tuple(entry.source for family in all_families() for entry in family.classes)
