"""A person's imports for the pages that show them: a file whose columns are looked at, one refused, a mapping."""

import io
from dataclasses import dataclass

from waystream.kernel.tx import Tx
from waystream.parts.imports import actions
from waystream.parts.imports.model import Given, SavedMapping

HEAD = "流水号,收货人姓名（必填）,手机号码,省,市,区,详细地址,商家编码,件数"
ROW = "E1,王小明,13800001111,四川省,成都市,武侯区,天府大道 1 号,TS-01,2"
MAPPING = "erp"


@dataclass(frozen=True, slots=True)
class Imports:
    """The ids of two runs and the name of a mapping."""

    looked_at: str
    refused: str
    mapping: str


def make_imports(tx: Tx, actor: str) -> Imports:
    columns = dict.fromkeys(HEAD.split(","), "") | {"流水号": "number", "件数": "line.quantity"}
    actions.save_mapping(tx, SavedMapping(MAPPING, "orders", columns), actor=actor)
    refused = _keep(tx, actor)
    token = actions.begin(tx, refused, actor=actor, rehearsal=False, mapping=MAPPING, columns=None)
    problems = [("line 2, 件数", "not a number"), ("line 7, 手机号码", "not a mobile number")]
    actions.refuse(tx, refused, actor=actor, token=token, problems=problems)
    return Imports(looked_at=_keep(tx, actor), refused=refused, mapping=MAPPING)


def _keep(tx: Tx, actor: str) -> str:
    given = Given("erp.csv", "orders", shop="qinghe", warehouse="yuhang")
    return actions.keep_file(tx, io.BytesIO(f"{HEAD}\n{ROW}\n".encode()), given, actor=actor)
