"""Every table that belongs to a shop is held by row-level security, with a policy for each role.

Not held: `audit` (read only by those who may, and filtered there), the limits of staff and keys (they say who sees a
shop), and partitions (they are read through their parent, which is held).
"""

SENTENCE_ZH = "属于店铺的每张表都受行级安全约束，每个角色都有策略。"

SQL = """
SELECT format('table %s is not held by its shop', c.relname)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'shop_id' AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND c.relname NOT IN ('audit', 'staff_shop', 'api_key_shop')
  AND NOT (c.relrowsecurity AND 2 = (
      SELECT count(*) FROM pg_policy p
      WHERE p.polrelid = c.oid AND p.polcmd = '*' AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL
        AND p.polname IN ('machine', 'page')))
"""
