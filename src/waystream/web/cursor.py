"""Where in a list one is, as it stands in an address: an instant to the microsecond and an id."""

from datetime import UTC, datetime

LAST_S = 4_102_444_800  # the year 2100


def write_cursor(at: datetime, row_id: int) -> str:
    return f"{int(at.timestamp())}.{at.microsecond:06d}-{row_id}"


def read_cursor(text: str) -> tuple[datetime, int] | None:
    """None for anything that is no cursor of ours."""
    moment, _, row_id = text.partition("-")
    seconds, _, micros = moment.partition(".")
    parts = (seconds, micros, row_id)
    if not all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts) or len(micros) != 6:
        return None
    if int(seconds) > LAST_S or int(row_id) >= 2**63:
        return None
    return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(micros)), int(row_id)


def write_scan_cursor(at: datetime, parcel_id: int, key: int) -> str:
    """Of scans, whose keys are hashes: several of one parcel are seen in one instant."""
    return f"{write_cursor(at, parcel_id)}~{key}"


def read_scan_cursor(text: str) -> tuple[datetime, int, int] | None:
    """None for anything that is no cursor of ours."""
    place, _, key = text.partition("~")
    found, digits = read_cursor(place), key.removeprefix("-")
    if found is None or not (digits.isascii() and digits.isdigit() and int(digits) < 2**63):
        return None
    return *found, int(key)
