"""A second program for the growth model: every matrix written out, nothing clever, for tests."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Person:
    """One patient's rows: levels, design over all markers, marker and group of each."""

    y: Floats
    X: Floats
    marker: npt.NDArray[np.int64]
    group: int


def people_of(
    rows: pd.DataFrame, *, markers: tuple[str, ...], group: dict[object, int] | None = None
) -> list[Person]:
    """Sort rows (patient_id, weeks, level, marker) by patient; who has no row is not there."""
    found = []
    for patient, own in rows.groupby("patient_id"):
        marker = own["marker"].map({name: i for i, name in enumerate(markers)}).to_numpy(int)
        X = np.zeros((len(own), 2 * len(markers)))
        X[np.arange(len(own)), 2 * marker] = 1
        X[np.arange(len(own)), 2 * marker + 1] = own["weeks"]
        g = 0 if group is None else group[patient]
        found.append(Person(own["level"].to_numpy(float), X, marker.astype(np.int64), g))
    return found


def deviance(
    people: list[Person], between: Floats, s2: Floats, *, groups: int, reml: bool
) -> float:
    """Return -2 log-likelihood (REML: restricted), lines by generalised least squares."""
    q = len(between)
    information, right = np.zeros((groups * q,) * 2), np.zeros(groups * q)
    value = 0.0
    inverses = []
    for person in people:
        V = person.X @ between @ person.X.T + np.diag(s2[person.marker])
        inverse = np.linalg.inv(V)
        inverses.append(inverse)
        own = slice(person.group * q, (person.group + 1) * q)
        information[own, own] += person.X.T @ inverse @ person.X
        right[own] += person.X.T @ inverse @ person.y
        value += np.linalg.slogdet(2 * np.pi * V)[1]
    beta = np.linalg.solve(information, right).reshape(groups, q)
    for person, inverse in zip(people, inverses, strict=True):
        r = person.y - person.X @ beta[person.group]
        value += r @ inverse @ r
    if reml:
        value += np.linalg.slogdet(information)[1] - groups * q * np.log(2 * np.pi)
    return float(value)


def newton_step(
    people: list[Person], between: Floats, s2: Floats, *, groups: int, reml: bool
) -> tuple[Floats, Floats]:
    """Say by how much, relatively, one more Newton step would change the two laws.

    The deviance's derivatives are central differences in the elements of the Cholesky factor,
    in units of each effect's own SD, and in log s²; none of the program under test is used.
    """
    unit = np.sqrt(np.diag(between))
    L = np.linalg.cholesky(between / np.outer(unit, unit))
    triangle = np.tril_indices(len(between))
    start = np.concatenate([L[triangle], np.log(s2)])

    def parts(at: Floats) -> tuple[Floats, Floats]:
        factor = np.zeros_like(L)
        factor[triangle] = at[: -len(s2)]
        return factor @ factor.T * np.outer(unit, unit), np.exp(at[-len(s2) :])

    def value(at: Floats) -> float:
        return deviance(people, *parts(at), groups=groups, reml=reml)

    h = 1e-3
    moves = np.eye(len(start)) * h
    middle = value(start)
    ahead = np.array([value(start + move) for move in moves])
    behind = np.array([value(start - move) for move in moves])
    # Richardson: the error of the central difference falls from h² to h⁴.
    near = np.array([value(start + m / 2) - value(start - m / 2) for m in moves]) / h
    gradient = (4 * near - (ahead - behind) / (2 * h)) / 3
    hessian = np.diag((ahead + behind - 2 * middle) / h**2)
    for i in range(len(start)):
        for j in range(i):
            both = value(start + moves[i] + moves[j]) + value(start - moves[i] - moves[j])
            cross = both - ahead[i] - behind[i] - ahead[j] - behind[j] + 2 * middle
            hessian[i, j] = hessian[j, i] = cross / (2 * h**2)
    new_between, new_s2 = parts(start - np.linalg.solve(hessian, gradient))
    return (new_between - between) / np.outer(unit, unit), new_s2 / s2 - 1
