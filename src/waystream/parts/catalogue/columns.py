"""The columns of SKU and warehouse sheets, in Chinese and English."""

from waystream.core.sheet import Column, centimetres, identifier, kilograms, whole, yes, yuan
from waystream.parts.catalogue.model import read_cutoffs

SKU_COLUMNS = (
    Column("code", ("商品编码", "商家编码", "货号", "规格编码", "编码", "sku", "sku code"), identifier, required=True),
    Column("name", ("商品名称", "名称", "商品", "item", "item name", "product"), required=True),
    Column("category", ("类目", "分类", "品类", "category")),
    Column("weight_g", ("重量", "重量克", "重量g", "weight", "weight g"), whole),
    Column("weight_g", ("重量kg", "重量千克", "weight kg"), kilograms),
    Column("length_mm", ("长", "长mm", "length"), whole),
    Column("length_mm", ("长cm", "length cm"), centimetres),
    Column("width_mm", ("宽", "宽mm", "width"), whole),
    Column("width_mm", ("宽cm", "width cm"), centimetres),
    Column("height_mm", ("高", "高mm", "height"), whole),
    Column("height_mm", ("高cm", "height cm"), centimetres),
    Column("fragile", ("易碎", "fragile"), yes),
    Column("unit_cost_fen", ("成本", "成本价", "进价", "单位成本", "unit cost", "cost"), yuan),
    Column("unit_cost_fen", ("成本分",), whole),
)

WAREHOUSE_COLUMNS = (
    Column("code", ("仓库编码", "编码", "warehouse", "warehouse code"), identifier, required=True),
    Column("name", ("仓库名称", "仓库", "名称", "warehouse name"), required=True),
    Column("province", ("省", "省份", "province"), required=True),
    Column("city", ("市", "城市", "city"), required=True),
    Column("district", ("区", "区县", "district")),
    Column("sender.name", ("发件人", "寄件人", "联系人", "sender", "contact"), required=True),
    Column("sender.mobile", ("手机", "手机号", "mobile"), identifier),
    Column("sender.phone", ("电话", "phone", "telephone"), identifier),
    Column("sender.company", ("发件公司", "公司", "company")),
    Column("sender.address", ("详细地址", "地址", "address", "street"), required=True),
    Column("sender.postcode", ("邮编", "postcode", "zip")),
    Column("dispatch_by", ("出库方式", "dispatch")),
    Column("working_days", ("工作日", "working days")),
    Column("cutoff", ("截单时间", "cut off")),
    Column("cutoffs", ("各快递截单时间", "快递截单时间", "carrier cut offs"), read_cutoffs),
    Column("printer", ("打印机", "printer name")),
)
