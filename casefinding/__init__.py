"""Find people who probably have an undiagnosed condition, and give each practice a list it can work."""

__version__ = "0.1.0"
