"""Printers and their queues over the API."""

from fastapi import APIRouter

router = APIRouter(tags=["printers"])
