"""What the business does: one folder a part. Parts do not know each other.

A part writes its own tables only and may read any; what one part's event means for another is a file in `rules`.
"""
