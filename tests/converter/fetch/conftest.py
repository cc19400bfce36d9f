"""The server and the surroundings of every test that downloads."""

from tests.support.fetch_fixtures import server, surroundings

__all__ = ["server", "surroundings"]
