"""Orders over the API: hand in, list, read, cancel, hold and release, and who stands behind one (with a reason)."""

from fastapi import APIRouter

router = APIRouter(tags=["orders"])
