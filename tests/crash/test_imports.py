"""An import whose process is killed: nothing of it was taken in, the run is seen to have stopped, and runs again."""

import io
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import BUSINESS_TIME
from tests.engine import Engine
from tests.kernel.machine import eventually
from tests.web import sample
from tests.web.conftest import Office
from waystream.integrations.kdniao.adapter import network
from waystream.kernel.clock import FixedClock
from waystream.kernel.tx import Work
from waystream.kernel.vault import Keys, Vault
from waystream.parts.imports import actions
from waystream.parts.imports.model import Given
from waystream.web.context import WebContext
from waystream.web.live import Live
from waystream.web.pages.imports.runs import desk

ROOT_KEY = bytes(range(32))
HEAD = "订单号,商品编码,数量,收件人,手机,省,市,区,详细地址\n"
ROW = "K{n},TS-01,1,王小明,13800001111,四川省,成都市,武侯区,天府大道 1 号\n"
ORDERS = 1_500  # more than one batch: the first is written when the process dies


def victim(machine_url: str, page_url: str, run_id: str, actor: str) -> None:
    """Reads the file like any process would, and says when the first orders are written; there it stays."""
    from waystream.kernel.database import Database, Shops
    from waystream.parts.orders import actions as orders
    from waystream.web.pages.imports.desk import Wanted

    clock, keys = FixedClock(BUSINESS_TIME), Keys(Vault(ROOT_KEY))
    machine, page = Database(machine_url, role="victim"), Database(page_url, role="victim")
    machine.open()
    page.open()
    work = Work(machine, clock, keys)
    context = WebContext(Work(page, clock, keys), work, {network.name: network}, Live(work), "https://ship.example")
    accept = orders.accept

    def accept_and_stay(*given: object, **more: object) -> object:
        accepted = accept(*given, **more)  # type: ignore[arg-type]
        print("written", flush=True)
        sys.stdin.read()
        return accepted

    orders.accept = accept_and_stay  # type: ignore[assignment]
    given = Given("k.csv", "orders", shop="qinghe", warehouse="yuhang")
    desk().start(context, Shops.every(), Wanted(run_id, given, actor, rehearsal=False))
    desk().wait(run_id, 60)


def test_a_killed_import_took_nothing_in_and_runs_again(engine: Engine) -> None:
    engine.wipe()
    keys, clock = Keys(Vault(ROOT_KEY)), FixedClock(BUSINESS_TIME)
    machine = Work(engine.machine, clock, keys)
    live = Live(machine)
    context = WebContext(Work(engine.page, clock, keys), machine, {network.name: network}, live, "https://ship.example")
    office = Office(context, machine.run(sample.make))
    person = office.hire()
    actor, body = f"staff:{person.staff_id}", HEAD + "".join(ROW.format(n=n) for n in range(ORDERS))
    given = Given("k.csv", "orders", shop="qinghe", warehouse="yuhang")
    run_id = machine.run(lambda tx: actions.keep_file(tx, io.BytesIO(body.encode()), given, actor=actor))

    process = subprocess.Popen(
        [sys.executable, "-c", CODE, engine.postgres.machine_url, engine.postgres.page_url, run_id, actor],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    assert "is being read" in person.get(f"/import/{run_id}").text
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    assert list(Path(tempfile.gettempdir()).glob(f"waystream-import-{process.pid}-*")), "it was killed in the middle"

    with machine.begin() as tx:
        tx.conn.execute("UPDATE import_run SET beat_at = beat_at - interval '1 minute'")
    assert "stopped before the end; nothing was imported" in person.get(f"/import/{run_id}").text
    assert office.rows("SELECT count(*) FROM orders WHERE number LIKE 'K%%'") == [(0,)]
    assert person.post(f"/import/{run_id}/again", do="import").status_code == 303
    eventually(lambda: office.rows("SELECT state FROM import_run") == [("imported",)], within_s=60)
    assert office.rows("SELECT count(*) FROM orders WHERE number LIKE 'K%%'") == [(ORDERS,)]
    assert not list(Path(tempfile.gettempdir()).glob(f"waystream-import-{process.pid}-*"))
    live.close()


CODE = "import sys; from tests.crash.test_imports import victim; victim(*sys.argv[1:])"
