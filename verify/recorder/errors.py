"""Why a recording stops."""

from __future__ import annotations


class Refused(Exception):
    """The recording cannot be made; the message is for the user."""


class Broken(Refused):
    """This Paddle computes wrong numbers, so nothing that it gives for a checkpoint can be used."""
