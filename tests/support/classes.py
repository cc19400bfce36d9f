"""PaddleNLP's classes, of the families of which the tests make checkpoints, and of one."""

from __future__ import annotations

from mappings import load_family

ERNIE_M_CLASSES = tuple(entry.source for entry in load_family("ernie_m").classes)
ERNIE_CLASSES = tuple(entry.source for entry in load_family("ernie").classes)
SOURCE_CLASSES = (*ERNIE_CLASSES, *ERNIE_M_CLASSES)
