"""What each command asks for; thin, and quick to import: the work is imported when a command is run."""
