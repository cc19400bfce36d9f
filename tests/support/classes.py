"""PaddleNLP's classes, of every family and of one."""

from __future__ import annotations

from mappings import all_families, load_family

SOURCE_CLASSES = tuple(entry.source for family in all_families() for entry in family.classes)
ERNIE_M_CLASSES = tuple(entry.source for entry in load_family("ernie_m").classes)
ERNIE_CLASSES = tuple(entry.source for entry in load_family("ernie").classes)
