"""Warehouses over the API."""

from fastapi import APIRouter

router = APIRouter(tags=["warehouses"])
