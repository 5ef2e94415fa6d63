"""Whom to invite to what, within what practices and networks can do: the best choice, and what it costs."""
