"""The Medical Event Data Standard: our store as a dataset of it."""
