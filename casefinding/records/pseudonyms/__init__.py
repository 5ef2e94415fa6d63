"""Pseudonyms, made where identifiers are allowed: an extract goes out in its own layout, without its people."""
