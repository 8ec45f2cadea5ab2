"""Addresses that came from outside: only our own paths are gone back to."""


def own_path(path: str) -> str:
    """A path of ours; anything that could lead elsewhere is the start page."""
    leads_out = not path.startswith("/") or path.startswith("//") or "\\" in path or any(c < " " for c in path)
    return "/" if leads_out else path
