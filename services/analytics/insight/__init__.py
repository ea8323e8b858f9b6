"""What marketers learn from what was sold: what campaigns bring, who buys, what is bought, what is left."""
