"""The columns of a sheet of carrier accounts, in Chinese and English."""

from waystream.core.sheet import Column, identifier, whole

_PAY_TYPES = {
    "现付": 1, "寄付": 1, "寄付现结": 1, "sender": 1, "到付": 2, "receiver": 2, "月结": 3, "寄付月结": 3, "monthly": 3,
    "第三方": 4, "第三方付": 4, "third party": 4,
}  # fmt: skip


def _pay_type(cell: str) -> int:
    return _PAY_TYPES[cell.casefold()] if cell.casefold() in _PAY_TYPES else whole(cell)


ACCOUNT_COLUMNS = (
    Column("name", ("账号名称", "名称", "account", "account name"), required=True),
    Column("parameters.carrier", ("快递公司编码", "快递公司", "快递编码", "快递", "carrier", "carrier code")),
    Column("aggregator", ("聚合商账号", "聚合商", "接口账号", "through")),
    Column("warehouse", ("仓库编码", "仓库", "warehouse code")),
    Column("priority", ("优先级", "priority"), whole),
    Column("low_mark", ("余量提醒", "预警余量", "low mark", "warn below"), whole),
    Column("parameters.customer_name", ("客户号", "客户编码", "电子面单账号", "customername"), identifier),
    Column("parameters.customer_password", ("客户密码", "密码", "电子面单密码", "customerpwd", "password"), identifier),
    Column("parameters.month_code", ("月结号", "月结账号", "密钥串", "monthcode"), identifier),
    Column("parameters.send_site", ("网点", "网点名称", "网点编码", "sendsite", "outlet"), identifier),
    Column("parameters.send_staff", ("业务员", "快递员", "sendstaff", "courier"), identifier),
    Column("parameters.warehouse_code", ("快递方仓库编码", "warehouseid"), identifier),
    Column("parameters.pay_type", ("付款方式", "支付方式", "paytype"), _pay_type),
    Column("parameters.product_type", ("产品类型", "快递业务", "业务类型", "exptype", "service"), identifier),
    Column("parameters.template_size", ("模板规格", "模板", "templatesize"), identifier),
)
