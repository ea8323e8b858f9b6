"""When customers will buy next: models compared on what they could have foretold, and the best of them used."""
