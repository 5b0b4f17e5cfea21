"""Made-up answers for tests of structural models: a chain of known paths, a Heywood case."""

import numpy as np
import pandas as pd

CHAIN = """
    V =~ v1 + v2 + v3
    S =~ s1 + s2 + s3
    L =~ l1 + l2 + l3
    S ~ a*V
    L ~ b*S + c*V
    indirect := a*b
    total := indirect + c
"""

TRUTH = {"a": 0.6, "b": 0.5, "c": 0.2}


def chain(n: int, generator: np.random.Generator) -> pd.DataFrame:
    """Answers of a value chain with known paths and loadings 1, .8, .6."""
    value = generator.normal(size=n)
    satisfaction = TRUTH["a"] * value + generator.normal(size=n) * 0.8
    loyalty = TRUTH["b"] * satisfaction + TRUTH["c"] * value + generator.normal(size=n) * 0.7
    return pd.DataFrame(
        {
            f"{name}{i}": loading * score + 0.6 * generator.normal(size=n)
            for name, score in (("v", value), ("s", satisfaction), ("l", loyalty))
            for i, loading in ((1, 1.0), (2, 0.8), (3, 0.6))
        }
    )


def heywood() -> pd.DataFrame:
    """Answers whose best solution has a negative variance: r12 r13 / r23 is above 1."""
    wanted = np.array([[1.0, 0.8, 0.7], [0.8, 1.0, 0.4], [0.7, 0.4, 1.0]])
    plain = np.random.default_rng(1).normal(size=(200, 3))
    plain -= plain.mean(axis=0)
    white = plain @ np.linalg.inv(np.linalg.cholesky(plain.T @ plain / 200)).T
    return pd.DataFrame(white @ np.linalg.cholesky(wanted).T, columns=["i1", "i2", "i3"])
