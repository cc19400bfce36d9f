"""A local Hub, a converted folder with a passing report, and no waiting between tries."""

from tests.support.publish_fixtures import hub, output, push_it, slept

__all__ = ["hub", "output", "push_it", "slept"]
