"""The audit over the API: who did what, read only."""

from fastapi import APIRouter

router = APIRouter(tags=["audit"])
