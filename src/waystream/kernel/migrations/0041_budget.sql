-- What a person has not set: one alert less, now that as many true stalls are found with it. Who has set ten keeps it.
ALTER TABLE patience_book ALTER COLUMN budget SET DEFAULT 9;
UPDATE patience_book SET budget = 9
WHERE budget = 10 AND NOT EXISTS (SELECT FROM audit WHERE action = 'silence.budget');
