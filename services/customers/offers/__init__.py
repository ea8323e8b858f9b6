"""Personal offers: policies that turn what is known of customers into codes of their own, at the right time."""
