"""What every page and every answer of the API has in common: who asks, in which language,
what the headers say, and how an error is told. It refuses to know products and orders.
"""
