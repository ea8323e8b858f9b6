"""An instrument as one plain sentence, in English or Ukrainian. Pure."""

from services.emission.sentence.names import Names, skus
from services.emission.sentence.sentence import sentence
from shared.wording import Language

__all__ = ["Language", "Names", "sentence", "skus"]
