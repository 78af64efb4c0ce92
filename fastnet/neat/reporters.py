"""Those who want to know what happens during a run.

A reporter is an object with any of these methods; `Population.run` calls those that it has:

``start_generation(population)``
    Before a generation is bred and evaluated.
``end_generation(population)``
    After it was evaluated and put into species: ``population`` describes it.
``found_solution(population, genome)``
    The task is solved: by the fittest genome that does so.
``extinction(population, species)``
    A species of the generation before has no genome any more.
``species_stagnant(population, species)``
    A species has not got better for `Config.stagnation` generations and will have no children.

``species`` is a `Species`.  An exception in a reporter ends the run; the population then is as it
was when the reporter was called, and can go on.
"""

__all__ = ["EVENTS", "Reporters"]

EVENTS = (
    "start_generation",
    "end_generation",
    "found_solution",
    "extinction",
    "species_stagnant",
)


class Reporters:
    """Reporters, asked once which events they want.

    Parameters
    ----------
    reporters : iterable of objects

    Raises
    ------
    TypeError
        One of them has none of the methods.
    """

    def __init__(self, reporters):
        try:
            reporters = tuple(reporters)
        except TypeError:
            raise TypeError(
                f"reporters must be a sequence of reporters, got {type(reporters).__name__}"
            ) from None
        self._methods = {event: [] for event in EVENTS}
        for k, reporter in enumerate(reporters):
            found = False
            for event in EVENTS:
                method = getattr(reporter, event, None)
                if method is not None:
                    self._methods[event].append(method)
                    found = True
            if not found:
                raise TypeError(
                    f"reporters[{k}] must have one of the methods {', '.join(EVENTS)}, "
                    f"got {type(reporter).__name__}"
                )

    def wants(self, event):
        """Whether any of them has this method."""
        return bool(self._methods[event])

    def tell(self, event, *arguments):
        """Call that method of all that have it, in their order."""
        for method in self._methods[event]:
            method(*arguments)
