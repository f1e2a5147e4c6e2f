-- Locked by transactions that are repeated after a conflict, so that they wait for each other instead of
-- failing again. It has no rows, and nothing but speed depends on it.
CREATE TABLE turns (nothing BOOLEAN);
