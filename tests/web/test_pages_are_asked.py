"""The benchmark of pages asks for every page there is: a new one is measured, or somebody says why not."""

from fastapi.routing import iter_route_contexts

from benchmarks.crowd.paths import LEFT_OUT, SHOWN, answers
from tests.web.conftest import Office


def test_every_route_that_is_read_is_asked_or_left_out(office: Office) -> None:
    routes = {
        context.path or "" for context in iter_route_contexts(office.app.routes) if "GET" in (context.methods or ())
    }
    assert len(routes) > 120
    missing = {route for route in routes - set(LEFT_OUT) if not any(answers(route, path) for path in SHOWN)}
    assert not missing, "add them to benchmarks/crowd/paths.py"
    assert set(LEFT_OUT) <= routes
    assert not {path for path in SHOWN if not any(answers(route, path) for route in routes)}
