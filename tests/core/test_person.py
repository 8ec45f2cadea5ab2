"""Masks hide and keep their width; terms find what a person types."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waystream.core.person import (
    Person,
    Term,
    from_bytes,
    index_terms,
    mask_address,
    mask_name,
    mask_phone,
    name_terms,
    phone_terms,
    to_bytes,
)
from waystream.core.ports import Contact

DIGITS = st.text("0123456789", min_size=7, max_size=20)


@pytest.mark.parametrize(
    ("name", "mask"),
    [("罗小明", "罗**"), ("罗明", "罗*"), ("罗", "*"), ("", ""), ("John Smith", "J*** *****"), ("欧阳娜娜", "欧***")],
)
def test_names(name: str, mask: str) -> None:
    assert mask_name(name) == mask


@pytest.mark.parametrize(
    ("phone", "mask"),
    [
        ("15812346021", "158****6021"),
        ("13800001111-1234", "138****1111-****"),
        ("0571-88123456", "057*-****3456"),
        ("88123456", "8*****56"),
        ("110", "***"),
        ("", ""),
        ("+8615812346021", "+861******6021"),
    ],
)
def test_phones(phone: str, mask: str) -> None:
    assert mask_phone(phone) == mask


@pytest.mark.parametrize(
    ("address", "mask"),
    [
        ("文三路478号3幢502室", "文三路***号*幢***室"),
        ("三号楼二单元", "*号楼*单元"),
        ("B座12A", "B座***"),
        ("中山三路", "中山三路"),
        ("建国路８８号", "建国路**号"),
    ],
)
def test_addresses(address: str, mask: str) -> None:
    assert mask_address(address) == mask


@given(st.text(max_size=40))
def test_every_mask_keeps_its_width(text: str) -> None:
    for mask in (mask_name, mask_phone, mask_address):
        assert len(mask(text)) == len(text)
    assert not any(char in "0123456789" for char in mask_address(text))


@given(DIGITS)
def test_a_masked_phone_shows_seven_digits_at_most(phone: str) -> None:
    assert sum(char.isdigit() for char in mask_phone(phone)) <= 7
    assert mask_phone(phone) != phone


@given(st.text("罗小明欧阳John ", min_size=1, max_size=12))
def test_every_part_of_a_name_is_found(name: str) -> None:
    stored = index_terms(Contact(name=name))
    folded = "".join(name.split())
    for start in range(len(folded) - 1):
        for end in range(start + 2, len(folded) + 1):
            typed = {term for term in name_terms(folded[start:end]) if term[0] is Term.BIGRAM}
            assert typed <= stored


def test_a_virtual_number_is_found_both_ways() -> None:
    assert phone_terms("13800001111-1234") == {
        (Term.PHONE, "13800001111"),
        (Term.PHONE, "13800001111-1234"),
        (Term.LAST_FOUR, "1111"),
        (Term.LAST_FOUR, "1234"),
    }


@given(st.builds(Contact, name=st.text(), mobile=st.text(), address=st.text()), st.text())
def test_what_is_sealed_comes_back(contact: Contact, remark: str) -> None:
    person = Person(contact, buyer_remark=remark)
    assert from_bytes(to_bytes(person)) == person


def test_nobody_is_seen_in_a_repr() -> None:
    assert "罗小明" not in repr(Person(Contact(name="罗小明"), buyer_remark="罗小明"))
