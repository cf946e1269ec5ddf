"""The others, each a program of its own: pgloader, and children that do one thing."""
