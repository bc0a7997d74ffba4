"""How a study's steps are made: here, by one process or by several that share its store."""
