"""What is bought together: pairs of product groups that share receipts more often than chance would have it."""
