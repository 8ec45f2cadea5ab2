"""Rows of SKUs and warehouses. Row-level security shows a page the SKUs of its caller's shops only."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from waystream.parts.catalogue.model import Sku, SkuIn, Warehouse, WarehouseIn

Conn = Connection[Any]

_SKU = """SELECT id, shop_id, code, name, category, weight_g, length_mm, width_mm, height_mm, fragile, unit_cost_fen,
                 changed_at FROM sku"""
_WAREHOUSE = """SELECT id, code, name, province, city, district, contact_mask, dispatch_by, working_days, cutoff,
                       cutoffs, printer_id, created_at FROM warehouse"""


def upsert_skus(conn: Conn, shop_id: int, skus: Sequence[SkuIn], *, at: datetime) -> int:
    """Insert or write over by code; how many rows differ from before."""
    names = SkuIn.__struct_fields__
    return conn.execute(
        """INSERT INTO sku (shop_id, code, name, category, weight_g, length_mm, width_mm, height_mm, fragile,
               unit_cost_fen, changed_at)
           SELECT %(shop)s, *, %(at)s FROM unnest(%(code)s::text[], %(name)s::text[], %(category)s::text[],
               %(weight_g)s::int[], %(length_mm)s::int[], %(width_mm)s::int[], %(height_mm)s::int[],
               %(fragile)s::boolean[], %(unit_cost_fen)s::bigint[])
           ORDER BY 2
           ON CONFLICT (shop_id, code) DO UPDATE SET name = excluded.name, category = excluded.category,
               weight_g = excluded.weight_g, length_mm = excluded.length_mm, width_mm = excluded.width_mm,
               height_mm = excluded.height_mm, fragile = excluded.fragile, unit_cost_fen = excluded.unit_cost_fen,
               changed_at = excluded.changed_at
           WHERE (sku.name, sku.category, sku.weight_g, sku.length_mm, sku.width_mm, sku.height_mm, sku.fragile,
                  sku.unit_cost_fen)
              IS DISTINCT FROM (excluded.name, excluded.category, excluded.weight_g, excluded.length_mm,
                  excluded.width_mm, excluded.height_mm, excluded.fragile, excluded.unit_cost_fen)""",
        {"shop": shop_id, "at": at} | {name: [getattr(sku, name) for sku in skus] for name in names},
    ).rowcount


def list_skus(conn: Conn, *, shop_id: int | None, text: str, after: tuple[str, int], limit: int) -> list[Sku]:
    """`text`: a code's beginning or any part of a name; empty is every SKU."""
    plain = text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return (
        conn.cursor(row_factory=class_row(Sku))
        .execute(
            f"""SELECT sku.* FROM shop CROSS JOIN LATERAL ({_SKU}
                    WHERE shop_id = shop.id AND code >= %(code)s AND (code, id) > (%(code)s, %(id)s)
                      AND (%(text)s = '' OR code ILIKE %(start)s OR name ILIKE %(part)s)
                    ORDER BY code LIMIT %(limit)s) AS sku
                WHERE %(shop)s::bigint IS NULL OR shop.id = %(shop)s
                ORDER BY code, id LIMIT %(limit)s""".encode(),
            {
                "shop": shop_id,
                "text": text,
                "start": f"{plain}%",
                "part": f"%{plain}%",
                "code": after[0],
                "id": after[1],
                "limit": limit,
            },
        )
        .fetchall()
    )


def count_skus(conn: Conn, *, most: int) -> tuple[int, int]:
    """How many SKUs there are and how many of them have no weight, each up to `most` of a shop."""
    row = conn.execute(
        """SELECT (SELECT count(*) FROM shop CROSS JOIN LATERAL (
                       SELECT FROM sku WHERE shop_id = shop.id LIMIT %(most)s)),
                  (SELECT count(*) FROM shop CROSS JOIN LATERAL (
                       SELECT FROM sku WHERE shop_id = shop.id AND weight_g = 0 LIMIT %(most)s))""",
        {"most": most},
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def find_sku(conn: Conn, shop_id: int, code: str) -> Sku | None:
    return (
        conn.cursor(row_factory=class_row(Sku))
        .execute(_SKU + " WHERE shop_id = %s AND code = %s", [shop_id, code])
        .fetchone()
    )


def find_shop(conn: Conn, code: str) -> int | None:
    row = conn.execute("SELECT id FROM shop WHERE code = %s", [code]).fetchone()
    return row[0] if row else None


def find_mapping(conn: Conn, name: str, *, target: str) -> dict[str, str] | None:
    """A saved mapping of headers, of `parts.imports`."""
    row = conn.execute("SELECT columns FROM import_mapping WHERE name = %s AND target = %s", [name, target]).fetchone()
    return row[0] if row else None


def find_printer(conn: Conn, name: str) -> int | None:
    row = conn.execute("SELECT id FROM printer WHERE name = %s AND disabled_at IS NULL", [name]).fetchone()
    return row[0] if row else None


def name_printer(conn: Conn, printer_id: int | None) -> str:
    """The name of a printer in use; empty for none."""
    row = conn.execute("SELECT name FROM printer WHERE id = %s AND disabled_at IS NULL", [printer_id]).fetchone()
    return row[0] if row else ""


def find_key(conn: Conn, code: str) -> int | None:
    """The key of a stored warehouse's sender, its row locked."""
    row = conn.execute("SELECT key_id FROM warehouse WHERE code = %s FOR NO KEY UPDATE", [code]).fetchone()
    return row[0] if row else None


def upsert_warehouse(
    conn: Conn,
    told: WarehouseIn,
    *,
    key_id: int,
    sealed: bytes,
    contact_mask: str,
    printer_id: int | None,
    at: datetime,
) -> int:
    row = conn.execute(
        """INSERT INTO warehouse (code, name, province, city, district, key_id, sealed, contact_mask, dispatch_by,
               working_days, cutoff, cutoffs, printer_id, created_at)
           VALUES (%(code)s, %(name)s, %(province)s, %(city)s, %(district)s, %(key)s, %(sealed)s, %(mask)s,
               %(dispatch_by)s, %(working_days)s, %(cutoff)s, %(cutoffs)s, %(printer)s, %(at)s)
           ON CONFLICT (code) DO UPDATE SET name = excluded.name, province = excluded.province, city = excluded.city,
               district = excluded.district, key_id = excluded.key_id, sealed = excluded.sealed,
               contact_mask = excluded.contact_mask, dispatch_by = excluded.dispatch_by,
               working_days = excluded.working_days, cutoff = excluded.cutoff, cutoffs = excluded.cutoffs,
               printer_id = excluded.printer_id
           RETURNING id""",
        {
            "code": told.code,
            "name": told.name,
            "province": told.province,
            "city": told.city,
            "district": told.district,
            "key": key_id,
            "sealed": sealed,
            "mask": contact_mask,
            "dispatch_by": told.dispatch_by,
            "working_days": told.working_days,
            "cutoff": told.cutoff,
            "cutoffs": json.dumps(told.cutoffs),
            "printer": printer_id,
            "at": at,
        },
    ).fetchone()
    assert row is not None
    return int(row[0])


def list_warehouses(conn: Conn) -> list[Warehouse]:
    return conn.cursor(row_factory=class_row(Warehouse)).execute(_WAREHOUSE + " ORDER BY code").fetchall()


def find_warehouse(conn: Conn, warehouse_id: int) -> Warehouse | None:
    return (
        conn.cursor(row_factory=class_row(Warehouse)).execute(_WAREHOUSE + " WHERE id = %s", [warehouse_id]).fetchone()
    )


def find_warehouse_by_code(conn: Conn, code: str) -> Warehouse | None:
    return conn.cursor(row_factory=class_row(Warehouse)).execute(_WAREHOUSE + " WHERE code = %s", [code]).fetchone()


def find_sealed(conn: Conn, warehouse_id: int) -> tuple[str, int, bytes] | None:
    """(code, key id, sealed sender)."""
    return conn.execute("SELECT code, key_id, sealed FROM warehouse WHERE id = %s", [warehouse_id]).fetchone()


def link_printer(conn: Conn, warehouse_id: int, printer_id: int | None) -> bool:
    return conn.execute("UPDATE warehouse SET printer_id = %s WHERE id = %s", [printer_id, warehouse_id]).rowcount == 1
