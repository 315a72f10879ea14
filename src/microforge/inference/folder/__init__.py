"""A folder run: many files through one model, with a ledger; come here for what is written and what is skipped."""
