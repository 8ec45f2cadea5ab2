"""The SKU master over the API."""

from fastapi import APIRouter

router = APIRouter(tags=["skus"])
