"""How each tool is run, and how what it says of itself is read."""
