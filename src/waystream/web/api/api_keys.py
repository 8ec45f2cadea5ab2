"""API keys over the API; a key is shown once."""

from fastapi import APIRouter

router = APIRouter(tags=["api_keys"])
