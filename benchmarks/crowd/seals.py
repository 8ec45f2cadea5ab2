"""What pages open is sealed for them, row by row: accounts, warehouses, channels, and the one buyer that is looked at.

Everybody else's is empty: a million seals take an hour, and no list opens one.
"""

from collections.abc import Mapping

from waystream.core.account import account_aad, aggregator_aad, to_text
from waystream.core.gateways import Gateway
from waystream.core.person import Person, person_aad, to_bytes, warehouse_aad
from waystream.core.ports import CarrierAccount, Contact
from waystream.kernel.tx import Tx
from waystream.kernel.vault import seal
from waystream.parts.channels import actions as channels
from waystream.parts.channels.model import ChannelIn

MAIL = {"host": "smtp.example.com", "port": "587", "security": "starttls", "sender": "service@example.com"}
SENDER = Contact(
    name="陈师傅", mobile="13900002200", province="浙江省", city="杭州市", district="余杭区", address="仓前街道 1 号"
)
RECEIVER = Contact(
    name="罗测测", mobile="15812346021", province="四川省", city="成都市", district="武侯区", address="桐梓林东路 12 号"
)


def seal_all(tx: Tx, order_id: int, gateways: Mapping[str, Gateway]) -> None:
    _seal_accounts(tx)
    _seal_warehouses(tx)
    _seal_buyer(tx, order_id)
    for shop_id in (6, 1, 2):
        given = ChannelIn("客服邮箱", MAIL, rank=20)
        channels.add_channel(tx, shop_id, "smtp", given, gateways=gateways, actor="staff:1")


def _seal_accounts(tx: Tx) -> None:
    secret = tx.keys.vault.seal_secret("secret", aad=aggregator_aad("main"))
    tx.conn.execute("UPDATE aggregator SET key_sealed = %s", [secret])
    for row_id, carrier in tx.conn.execute("SELECT id, carrier FROM carrier_account").fetchall():
        sealed = tx.keys.vault.seal_secret(to_text(CarrierAccount(carrier=carrier)), aad=account_aad(row_id))
        tx.conn.execute("UPDATE carrier_account SET parameters_sealed = %s WHERE id = %s", [sealed, row_id])


def _seal_warehouses(tx: Tx) -> None:
    key_id, key = tx.keys.day_key(tx.conn, tx.now.date())
    for row_id, code in tx.conn.execute("SELECT id, code FROM warehouse").fetchall():
        sealed = seal(key, to_bytes(Person(SENDER)), aad=warehouse_aad(code))
        tx.conn.execute("UPDATE warehouse SET key_id = %s, sealed = %s WHERE id = %s", [key_id, sealed, row_id])


def _seal_buyer(tx: Tx, order_id: int) -> None:
    row = tx.conn.execute("SELECT person_id FROM orders WHERE id = %s", [order_id]).fetchone()
    assert row is not None
    [(key_id, key)] = tx.keys.person_keys(tx.conn, 1)
    sealed = seal(key, to_bytes(Person(RECEIVER, "", "")), aad=person_aad(row[0]))
    tx.conn.execute("UPDATE person SET key_id = %s, sealed = %s WHERE id = %s", [key_id, sealed, row[0]])
