"""The epoch loop over any model with parameters and a loss and gradient on rows."""
