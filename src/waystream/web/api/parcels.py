"""Parcels over the API: list, read, label, reprint, void, re-issue, bind, dispatch, decide and why."""

from fastapi import APIRouter

router = APIRouter(tags=["parcels"])
