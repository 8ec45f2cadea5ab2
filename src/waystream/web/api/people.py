"""People who sign in, over the API."""

from fastapi import APIRouter

router = APIRouter(tags=["people"])
