-- Words tried on oneself: sent like any other message, told to no buyer, counted nowhere.
ALTER TABLE notice ADD COLUMN test boolean NOT NULL DEFAULT false;
