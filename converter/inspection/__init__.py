"""What a checkpoint is and how it would be converted; what a converted folder was made from, and whether it is proven.

May import every room below: `publish` and `verify` judge the report of a converted folder.
"""

from __future__ import annotations

from converter.inspection.inspect import inspect
from converter.inspection.results import Inspection, MadeFrom

__all__ = ["Inspection", "MadeFrom", "inspect"]
