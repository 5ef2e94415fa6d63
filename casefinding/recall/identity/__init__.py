"""Pseudonyms and NHS numbers: what runs in the practice and nowhere else."""
