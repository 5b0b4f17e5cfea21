"""Paths between constructs, written as a structural equation model.

Question: how is "value -> satisfaction -> loyalty", with the items of each, said to
:func:`~keycustomer.dimensions.structural.models.fit_sem`?  The same arrows and items serve partial
least squares, so that two methods can be asked the same question.
"""

from __future__ import annotations

from keycustomer.dimensions.measurement.answers import Constructs
from keycustomer.dimensions.pls.specification import Paths, read_path_model
from keycustomer.dimensions.structural.models import write_model


def model_text(paths: Paths, constructs: Constructs) -> str:
    """Write arrows and items in the syntax of structural equation models.

    Parameters
    ----------
    paths : str or mapping of str to sequences of str
        ``A + B -> C; C -> D``, or construct -> the constructs it depends on.
    constructs : mapping of str to sequences of str
        Construct -> its items.

    Returns
    -------
    str
        One statement a line: measurement, then paths.  Constructs without a path are left out.

    Raises
    ------
    ValueError
        With every complaint about paths and items.

    Examples
    --------
    >>> print(model_text("liking -> loyalty", {"liking": ["a", "b"], "loyalty": ["c"]}))
    liking =~ a + b
    loyalty =~ c
    loyalty ~ liking
    """
    model = read_path_model(paths, constructs)
    named = model.constructs
    causes = {
        named[effect]: [named[cause] for cause in before]
        for effect, before in enumerate(model.predecessors)
        if before
    }
    return write_model({name: list(constructs[name]) for name in named}, causes)
