"""Metrics, one file each: what is counted, and how it becomes a share. They import numpy at most."""
