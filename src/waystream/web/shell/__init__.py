"""What every page shares: layout, components, languages, words for states, style sheets and scripts.

Templates hold no text of their own: every sentence goes through the catalogue in `locale`.
"""
