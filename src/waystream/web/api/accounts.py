"""Aggregators and carrier accounts over the API; what is secret goes in and never comes out."""

from fastapi import APIRouter

router = APIRouter(tags=["accounts"])
