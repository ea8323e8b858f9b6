"""Benefits: what an instrument gives, compiled to offers that are worked out line by line."""

from services.evaluator.promotion.benefits.compilation import compile_benefit
from services.evaluator.promotion.benefits.offer import Context, Given, Offer

__all__ = ["Context", "Given", "Offer", "compile_benefit"]
