"""The version, in one place: pyproject.toml reads it from here. And what the tool was tested with."""

__version__ = "0.1.0"

#: The transformers of requirements/, with which the tests compare classes with Paddle's. An output whose class computes
#: with transformers' code names them.
VERIFIED_TRANSFORMERS = ("4.57.6", "5.23.0")

#: Where the project is kept; OWNER is to be replaced here, and in pyproject.toml, when it has a place.
HOMEPAGE = "https://github.com/OWNER/paddle2torch"
