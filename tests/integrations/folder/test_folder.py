"""Labels as files: whole or not at all, under names that cannot leave the folder."""

from pathlib import Path

import pytest

from waystream.core.errors import Unavailable
from waystream.core.ports import FileAsk, PrinterAddress
from waystream.integrations.folder.adapter import driver
from waystream.kernel.exchange import Exchange


def ask(folder: str, title: str = "waystream-1-2") -> FileAsk:
    return driver.ask_print(PrinterAddress(f"folder://{folder}"), title=title, format="pdf", document=b"%PDF")


def test_a_label_becomes_a_file_only_its_owner_reads(tmp_path: Path) -> None:
    with Exchange() as exchange:
        assert driver.read_print(exchange.send(ask(f"{tmp_path}/new"))).outcome == "printed"
    [made] = (tmp_path / "new").iterdir()
    assert (made.name, made.read_bytes(), made.stat().st_mode & 0o777) == ("waystream-1-2.pdf", b"%PDF", 0o600)


@pytest.mark.parametrize(("title", "name"), [
    ("../../etc/passwd", "etc-passwd.pdf"), ("", "label.pdf"), ("..", "label.pdf"), ("a" * 300, "a" * 100 + ".pdf"),
])  # fmt: skip
def test_names_stay_in_the_folder(title: str, name: str) -> None:
    assert ask("/labels", title).name == name


def test_a_folder_with_spaces_and_chinese() -> None:
    assert ask("/srv/%E9%9D%A2%E5%8D%95%20A").folder == Path("/srv/面单 A")
    assert ask("/srv/面单").folder == Path("/srv/面单")


def test_a_folder_that_cannot_be_written_is_a_printer_that_is_off(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with Exchange() as exchange, pytest.raises(Unavailable):
        exchange.send(ask(f"{tmp_path}/file"))
