"""Shops and their policies over the API."""

from fastapi import APIRouter

router = APIRouter(tags=["shops"])
