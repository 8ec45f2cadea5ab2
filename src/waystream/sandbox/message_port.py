"""The shop's own system as far as buyers' messages need it: one path that takes letters and says each once.

The network does not know of it; it stands here so that a demonstration has somebody who talks to buyers.
"""

from fastapi import Request, Response

from waystream.integrations.shop_message.fake import Shelf, ShopSide

PATH = "/shop/messages"
_BODY_MAX_BYTES = 100_000


class MessagePort:
    def __init__(self, secret: str, shelf: Shelf) -> None:
        self._side = ShopSide(secret, shelf)

    async def serve(self, request: Request) -> Response:
        body = await request.body()
        if len(body) > _BODY_MAX_BYTES:
            return Response(status_code=413)
        reply = self._side.answer(body, request.headers)
        return Response(reply.body, status_code=reply.status)
