"""The common ground: errors and their codes, safe text for messages, names in OUTPUT, the version, interrupts.

Imports nothing else of this project.
"""
