"""Files as shops export them: encodings, delimiters, what spreadsheets wrap around numbers, Parquet."""

import resource
from pathlib import Path

import duckdb
import pytest

from waystream.core.errors import Invalid, TooLarge
from waystream.core.sheet import Row
from waystream.kernel import table_file
from waystream.kernel.table_file import open_table

TEXT = '订单号,收件人,备注\n1,罗小明,"两行\n备注"\n\n="2611",\'罗,\n'
ROWS = [Row(2, ("1", "罗小明", "两行\n备注")), Row(5, ("2611", "罗", ""))]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes(TEXT.encode(encoding))
    with open_table(tmp_path / "a.csv") as table:
        assert table.headers == ("订单号", "收件人", "备注")
        assert list(table.rows) == ROWS


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_delimiters_and_line_ends(tmp_path: Path, delimiter: str) -> None:
    (tmp_path / "a.csv").write_bytes("a,b\r\n1,2\r\n".replace(",", delimiter).encode())
    with open_table(tmp_path / "a.csv") as table:
        assert (table.headers, list(table.rows)) == (("a", "b"), [Row(2, ("1", "2"))])


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    duckdb.sql(f"COPY (SELECT 1 AS a, '罗' AS b, NULL AS c, 1.50::DECIMAL(9, 2) AS d, "
               f"TIMESTAMP '2026-11-11 08:00:00' AS e) TO '{path}' (FORMAT parquet)")  # fmt: skip
    with open_table(path) as table:
        assert (table.headers, table.about) == (("a", "b", "c", "d", "e"), 1)
        assert list(table.rows) == [Row(2, ("1", "罗", "", "1.50", "2026-11-11 08:00:00"))]


@pytest.mark.parametrize("cell", ["repeat('A', 1000000)", "repeat('A', 1000000) || i"])
def test_a_small_file_of_huge_cells_is_refused_and_takes_no_memory(tmp_path: Path, cell: str) -> None:
    """Kilobytes on the disk, gigabytes when read whole."""
    path = tmp_path / "a.parquet"
    duckdb.sql(f"COPY (SELECT {cell} AS a FROM range(3000) AS t (i)) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(Invalid), open_table(path) as table:
        list(table.rows)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000


def test_a_long_cell_of_csv_is_named_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3," + "x" * (table_file.CELL_MAX + 1))
    with open_table(tmp_path / "a.csv") as table, pytest.raises(Invalid) as refusal:
        list(table.rows)
    assert refusal.value.path == "line 3"


@pytest.mark.parametrize("body", [b"", b"PAR1 not really", b"\xff\xff\xff\x00", b'a,b\n1,"2\n'])
def test_what_is_no_table_is_one_sentence(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(body)
    with pytest.raises(Invalid), open_table(tmp_path / "a.csv") as table:
        list(table.rows)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="No such file"), open_table(tmp_path / "none.csv"):
        pass


def test_rows_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_file, "ROWS_MAX", 2)
    (tmp_path / "a.csv").write_text("a\n1\n2\n3\n")
    with pytest.raises(TooLarge), open_table(tmp_path / "a.csv") as table:
        list(table.rows)
