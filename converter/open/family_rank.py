"""How well the names of a checkpoint fit a family, to choose among several."""

from __future__ import annotations

import math
from functools import cache

from converter.common.errors import NamesError, Paddle2TorchError
from converter.files.tensors import TensorSet
from mappings import Family, Scheme, Table, matches_row
from mappings.tensors.expand import row_names

#: Lowest is best.
Rank = tuple[float, int]


def rank_tensors(found: TensorSet, family: Family) -> Rank:
    """How many names of an encoder of the family are missing, and how many it knows, negative: lowest is best. A family
    may have every name of another and more."""
    schemes = [(table, scheme) for table in family.tables.values() for scheme in table.schemes]
    known = sum(any(matches_row(name, table, scheme) for table, scheme in schemes) for name in found.tensors)
    encoders = _encoders(family, found.naming == "transformers")
    return min(sum(name not in found.tensors for name in names) for names in encoders), -known


def rank_error(error: Paddle2TorchError) -> Rank:
    """The same of a family that refuses the names; last, but before one that knows none, what else is wrong."""
    return (error.lacking, -error.known) if isinstance(error, NamesError) else (math.inf, -1)


@cache
def _encoders(family: Family, identity: bool) -> list[list[str]]:
    """The names of the encoder, of its layers the first, that each class needs under each scheme of the kind."""
    tables = family.tables.values()
    schemes = [(table, scheme) for table in tables for scheme in table.schemes if scheme.identity == identity]
    return [_names_of_encoder(table, scheme) for table, scheme in schemes]


def _names_of_encoder(table: Table, scheme: Scheme) -> list[str]:
    rows = [row for row in table.backbone if not (row.drop or row.optional or row.same_as)]
    pairs = [pair for row in rows for pair in row_names(row, 1)]
    return [scheme.prefix + name for source, targets in pairs for name in (targets if scheme.identity else (source,))]
