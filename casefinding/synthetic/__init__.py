"""A population whose true disease is known: who is ill, who is measured, who is coded."""
