-- The key of the office's vouchers; filled with random bytes when the file is opened.
ALTER TABLE meta ADD COLUMN voucher_key BLOB NOT NULL DEFAULT x'';
