"""Strangers and quarantine over the API: pushes that found no parcel or could not be read."""

from fastapi import APIRouter

router = APIRouter(tags=["strangers"])
