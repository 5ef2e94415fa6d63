"""How good a model is: against what was coded afterwards, by group, and (made-up people only) against the truth."""
