"""Practices side by side: their units, how complete their registers are, what their lists may lead to."""
