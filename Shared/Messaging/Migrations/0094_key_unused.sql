-- What a claim of an Idempotency-Key says: that it is unused. When it is not, the statements behind it in the same trip are not run.
create domain idempotency_key_unused as boolean constraint idempotency_key_in_use check (value);
