-- Whose pages may show a shop's buyers their order in a frame, or read its JSON from a browser: https://shop.example.
ALTER TABLE shop ADD COLUMN embed_origins text[] NOT NULL DEFAULT '{}';
