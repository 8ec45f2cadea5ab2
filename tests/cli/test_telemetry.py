"""A setting switches OpenTelemetry on: a whole Waystream tells a real collector what it does."""

from pathlib import Path

import pytest

from tests.kernel.collector import collecting
from tests.kernel.machine import eventually, held
from waystream.app import build
from waystream.core.errors import Invalid
from waystream.kernel import rule_cursor
from waystream.settings import load


def test_a_named_collector_hears_what_a_running_waystream_does(tmp_path: Path) -> None:
    with collecting() as collector:
        settings = load(environment={}, data_folder=tmp_path / "data", otlp_endpoint=collector.address, otlp_traces=1.0)
        with build(settings) as app:
            app.machine.run(lambda tx: tx.emit(held(1), cause="inbox:7"))
            eventually(lambda: _passed(app), within_s=60)
    # Sweeps of the first minute have traces of their own.
    pushed = [span for span in collector.spans if span.said["waystream.origin"] == "inbox:7"]
    assert "rule order_change_holds_parcels" in {span.name for span in pushed}
    assert len({span.trace for span in pushed}) == 1
    told = collector.metrics[-1]
    assert {"waystream_database_up", "waystream_rule_lag", "waystream_rule_turn_seconds"} <= told.keys()
    assert {each["service.name"] for each in collector.resources} == {"waystream"}
    assert "rules" in collector.resources[0]["waystream.roles"].split(",")


def _passed(app: object) -> bool:
    with app.machine.begin(read_only=True) as tx:  # type: ignore[attr-defined]
        standings = rule_cursor.list_standings(tx.conn)
    return bool(standings) and all(each.position >= 1 for each in standings)


@pytest.mark.parametrize(
    ("name", "value"), [("otlp_endpoint", "collector:4318"), ("otlp_traces", 1.5), ("otlp_traces", -0.1)]
)
def test_a_wrong_setting_is_said(name: str, value: object) -> None:
    with pytest.raises(Invalid) as wrong:
        load(environment={}, **{name: value})
    assert wrong.value.path == name
