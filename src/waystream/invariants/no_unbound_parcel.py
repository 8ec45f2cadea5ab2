"""A parcel with a label has a live number; one that waits for a number is being asked for."""

SENTENCE_ZH = "有面单的包裹有有效单号；等单号的包裹正在取号。"

SQL = """
SELECT 'parcel ' || parcel.id || ' is ' || parcel.stage || ' without a live number' FROM parcel
WHERE parcel.stage IN ('issued', 'printed', 'dispatched')
  AND NOT EXISTS (SELECT FROM binding WHERE binding.parcel_id = parcel.id AND binding.state = 'live')
UNION ALL
SELECT 'parcel ' || parcel.id || ' waits for a number nobody asks for' FROM parcel
WHERE parcel.stage IN ('asked', 'doubt') AND parcel.mother_id IS NULL
  AND NOT EXISTS (SELECT FROM binding JOIN parcel AS piece ON piece.id = binding.parcel_id
      WHERE parcel.id IN (piece.id, piece.mother_id) AND binding.state = 'cancelling')
  AND NOT EXISTS (
      SELECT FROM take JOIN job ON job.kind = 'take_number' AND job.key = take.id::text
      WHERE take.parcel_id = parcel.id AND take.state IN ('planned', 'asked', 'doubt')
        AND job.state IN ('ready', 'running'))
"""
