"""The ship action over the API: orders become parcels with numbers asked for."""

from fastapi import APIRouter

router = APIRouter(tags=["ship"])
