-- Lists of deadlines read a range of deadline_listed for each shop, warehouse and stand: across all shops' rows, those of a
-- shop with few were looked for among all others.
DROP INDEX deadline_soonest, deadline_missed;
