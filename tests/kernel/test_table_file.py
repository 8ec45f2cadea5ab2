"""Files as shops export them: encodings, delimiters, what spreadsheets wrap around numbers, Parquet."""

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
