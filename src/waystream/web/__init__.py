"""The web: pages, the HTTP interface, live updates. The rim: everything foreign is parsed
and every error is told here.

`app.make_web` puts it together; pages read with SQL of their own and write only through the parts' actions.
"""

from starlette.convertors import IntegerConvertor, register_url_convertor


class RowIdConvertor(IntegerConvertor):
    """`{order_id:int}` is at most a bigint long: Python itself refuses to read a number of 5,000 digits."""

    regex = "[0-9]{1,19}"


# Here, because every module with routes is imported after its package.
register_url_convertor("int", RowIdConvertor())
