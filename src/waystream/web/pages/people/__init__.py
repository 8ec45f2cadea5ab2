"""Who works here: roles, shops and warehouses; keys for programs; secrets are shown once."""
