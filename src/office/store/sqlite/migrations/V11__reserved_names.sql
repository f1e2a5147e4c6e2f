-- The office signs its own changes and decisions as "office". A user of that name could not be told
-- from it: the account is disabled, and the person gets another one.
UPDATE users SET disabled_at = unixepoch() * 1000 WHERE name = 'office' AND disabled_at IS NULL;
UPDATE sessions SET ended = 1 WHERE user = 'office' AND ended = 0;
