"""From a plan and the ledger's records to winners and tables: pure functions, and one writer."""
