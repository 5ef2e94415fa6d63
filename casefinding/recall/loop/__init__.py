"""From month to month: what was issued, what came back, who changed, who is asked again."""
