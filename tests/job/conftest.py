"""Tests of the straight lines through the rooms, on small stores in the real layout."""
