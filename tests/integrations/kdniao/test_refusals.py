"""Every refusal has a sentence that says what to mend, in both languages."""

import pytest

from waystream.integrations.kdniao.adapter import network
from waystream.integrations.kdniao.refusals import REFUSALS, cancel_outcome, refusal_of, sentence


@pytest.mark.parametrize(
    ("code", "reason", "mend"),
    [
        ("101", "缺少参数[缺少货物信息]", "goods_name_missing"),
        ("105", "电子面单客户号不存在", "account_unknown"),
        ("105", "月结编码错误", "account_unknown"),
        ("105", "单号余量不足", "number_pool_empty"),
        ("105", "收件地址不详细", "receiver_address_incomplete"),
        ("101", "缺少参数[收件人手机号]", "receiver_phone_missing"),
        ("101", "缺少参数[收件人姓名]", "receiver_name_missing"),
        ("101", "缺少参数[寄件人详细地址]", "sender_incomplete"),
        ("105", "该地区超区，不在派送范围", "out_of_range"),
        ("103", "请求内容含有特殊字符", "forbidden_characters"),
        ("105", "缺少重量", "weight_missing"),
        ("105", "客户未开通代收货款", "cod_not_open"),
        ("105", "不支持该快递公司", "carrier_not_supported"),
        ("104", "", "merchant_unknown"),
        ("102", "", "signature_wrong"),
        ("101", "", "field_missing"),
        ("103", "格式问题", "field_malformed"),
        ("105", "", "other"),
        ("", "", "other"),
        ("999", "?", "other"),
    ],
)
def test_a_reason_has_its_sentence(code: str, reason: str, mend: str) -> None:
    assert refusal_of(code, reason).mend == mend


def test_every_sentence_is_there_in_both_languages() -> None:
    assert len({row.mend for row in REFUSALS}) == len(REFUSALS)
    for row in REFUSALS:
        assert sentence(row.mend, "zh").endswith("。")
        assert network.mend_sentence(row.mend, "en").endswith(".")


def test_a_key_that_is_not_ours_is_an_error() -> None:
    with pytest.raises(KeyError):
        sentence("nonsense", "zh")


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("该订单已取消", "confirmed"),
        ("快件已揽收，不能取消", "refused"),
        ("该快递公司暂不支持线上取消", "unsupported"),
        ("请线下联系网点取消", "unsupported"),
        ("", "refused"),
    ],
)
def test_what_a_refused_cancel_means(reason: str, outcome: str) -> None:
    assert cancel_outcome(reason) == outcome
