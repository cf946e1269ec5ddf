"""What a value becomes: exact conversions, spellings, the canonical encoding.

Pure functions of single values. Refuses to know tables, files and connections.
"""
