"""The house style as a test: sizes, names, clocks, exceptions, and who writes which table."""

import ast
import re
import statistics
import subprocess
from pathlib import Path

import pytest

from tests.tidy.sources import ROOT, SOURCE, functions, modules, strings

LONGEST_FUNCTION = 70
LONGEST_FILE = 500
BANNED_NAMES = {"utils", "util", "common", "helpers", "helper", "base", "manager", "misc"}

#: Which part writes which tables; reading any table is free.
OWNERS = {
    "shops": {"shop"},
    "people": {"staff", "staff_shop", "staff_warehouse", "session", "api_key", "api_key_shop"},
    "catalogue": {"sku", "warehouse"},
    "orders": {"person", "person_index", "orders", "order_line"},
    "imports": {"import_run", "import_piece", "import_mapping"},
    "hub": {"aggregator", "carrier_account", "subscription", "carrier_heard"},
    "fulfilment": {
        "parcel", "parcel_order", "parcel_line", "take", "binding", "label", "waybill_cancel", "number_batch",
        "reserved_number", "replaced_line",
    },
    "floor": {"printer", "print"},
    "buyer": {"buyer_link", "buyer_gate", "buyer_word"},
    "tally": {"tally"},
    "backups": {"backup", "restoration"},
    "findings": {"finding"},
    "notices": {"notice", "notice_round", "notice_thing", "notice_policy", "notice_template", "notice_optout"},
    "care": {"ticket", "ticket_entry", "care_hours", "care_wish", "care_view"},
    "silence": {
        "silence", "slowdown", "slowdown_shop", "gap_cell", "scan_pulse", "place_share", "patience_book", "patience",
        "patience_pulse", "patience_curve",
    },
    "deadlines": {"deadline", "deadline_setting"},
    "channels": {"channel", "staff_word"},
    "webhooks": {"webhook_endpoint", "webhook_delivery"},
    "tracking": {
        "inbox", "inbox_digest", "track", "scan", "scan_detached", "afterlife", "telling", "decision", "stranger",
        "disputed_scan", "quarantine", "unknown_code", "clock_ahead", "unread_line", "replay", "replay_scan",
        "replay_claim", "replay_parcel", "replay_quarantine", "heartbeat", "outage", "inquiry",
    },
}  # fmt: skip
BROAD_EXCEPT = {"kernel/dispatcher.py", "kernel/jobs.py", "kernel/runner.py", "web/errors.py", "web/app.py"}
WRITES = re.compile(r"\b(?:INSERT INTO|UPDATE|DELETE FROM|COPY|MERGE INTO)\s+(?:ONLY\s+)?([a-z_]+)", re.IGNORECASE)
DATABASE_CLOCK = re.compile(r"\bnow\(\)|\bcurrent_timestamp\b|\bcurrent_date\b|\blocaltimestamp\b", re.IGNORECASE)


def test_functions_fit_a_screen() -> None:
    sizes = sorted(functions(), key=lambda pair: pair[1])
    lengths = [size for _, size in sizes]
    assert not [where for where, size in sizes if size > LONGEST_FUNCTION]
    assert statistics.median(lengths) < 10
    assert lengths[int(len(lengths) * 0.9)] < 30


@pytest.mark.parametrize("suffix", [".py", ".sql", ".css", ".js", ".html"])
def test_files_are_short(suffix: str) -> None:
    files = [path for top in ("src", "tests", "benchmarks", "scripts") for path in (ROOT / top).rglob(f"*{suffix}")]
    sizes = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files}
    assert not {name: size for name, size in sizes.items() if size > LONGEST_FILE}


def test_no_shapeless_names() -> None:
    assert not [path for path in modules() if BANNED_NAMES & {path.stem, *path.parent.parts}]


def test_modules_say_what_they_are() -> None:
    assert not [str(path) for path, tree in modules().items() if not ast.get_docstring(tree)]


def test_parts_write_only_their_tables() -> None:
    wrong = []
    for path, tree in modules().items():
        if path.parts[0] != "parts" or len(path.parts) < 3:
            continue
        mine = OWNERS.get(path.parts[1], set())
        tables = {name for text in strings(tree) for name in WRITES.findall(text)} & set().union(*OWNERS.values())
        wrong += [f"{path} writes {table}" for table in sorted(tables - mine)]
    assert not wrong


def test_rules_and_pages_write_no_table() -> None:
    every = set().union(*OWNERS.values())
    wrong = [
        f"{path} writes {table}"
        for path, tree in modules().items()
        if path.parts[0] in {"rules", "web", "invariants"}
        for table in {name for text in strings(tree) for name in WRITES.findall(text)} & every
    ]
    assert not wrong


def test_business_time_comes_from_the_clock() -> None:
    wrong = [str(path) for path, tree in modules().items() for text in strings(tree) if DATABASE_CLOCK.search(text)]
    assert not wrong


def test_python_asks_no_wall_clock_outside_the_kernel() -> None:
    allowed = {Path("kernel/clock.py"), Path("sandbox/clock.py")}
    wrong = [
        f"{path}:{node.lineno}"
        for path, tree in modules().items()
        if path not in allowed
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and _asks_the_time(node)
    ]
    assert not wrong


def _asks_the_time(node: ast.Attribute) -> bool:
    """`datetime.now`, `date.today`, `datetime.datetime.utcnow`; a field that is named `today` asks nothing."""
    of = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
    return node.attr == "utcnow" or (node.attr in {"now", "today"} and of in {"datetime", "date"})


def test_broad_excepts_live_in_three_places() -> None:
    wrong = [
        f"{path}:{node.lineno}"
        for path, tree in modules().items()
        if path.as_posix() not in BROAD_EXCEPT
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}))
    ]
    assert not wrong


def test_no_generated_or_foreign_files() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in listed if name.endswith((".mo", ".pyc", ".db", ".sqlite", ".parquet", ".whl"))]


def test_open_lists_state_what_they_are() -> None:
    for folder in ("rules", "invariants"):
        for path, tree in modules().items():
            if path.parts[0] == folder and path.name != "__init__.py":
                sentence = ast.get_docstring(tree) or ""
                assert sentence.split("\n")[0].endswith((".", ":")), f"{path}: the docstring is the sentence"


def test_source_root_is_the_product() -> None:
    assert (SOURCE / "core").is_dir()
