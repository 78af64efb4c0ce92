"""fastnet: small neural networks at C speed on any CPU."""
