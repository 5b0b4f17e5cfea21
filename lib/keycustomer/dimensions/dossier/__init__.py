"""The dossier of a key account, one page made from the data."""
