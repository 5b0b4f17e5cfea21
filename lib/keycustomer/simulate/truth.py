"""The truth of a simulated company, in tidy frames: what every estimate should find.

`company_truth` tabulates what the tables do not show: who belongs to which need segment and weighs
what, what respondents think behind their answers, the paths from value to satisfaction to loyalty
with their indirect effects, loadings and what the rating scale does to them, Kano classes, true
and stated importance, willingness to pay, and who kept silent.

Paths are averages over the accounts that are there.  Accounts weigh differently, so a single path
model finds the average weight; `regression` tells what least squares on the true scores of all
accounts gives, which differs from it only by chance and by what weights and values share.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from keycustomer.simulate.choice_tasks import WORTH
from keycustomer.simulate.columns import customer_ids, texts
from keycustomer.simulate.implied_answers import implied_moments
from keycustomer.simulate.kano_answers import kano_probabilities
from keycustomer.simulate.opinions import COMMITMENT_ON, TRUST_ON
from keycustomer.simulate.perception import weights_at
from keycustomer.simulate.questionnaire import LATENTS, Measurement
from keycustomer.simulate.stated_importance import attribute_importance
from keycustomer.simulate.survey_rows import Wave
from keycustomer.simulate.tables import Observation, observe
from keycustomer.simulate.vocabulary import (
    ATTRIBUTE_LAYERS,
    ATTRIBUTES,
    DIMENSIONS,
    INDUSTRIES,
    REGIONS,
    SEGMENTS,
    TRAITS,
)

if TYPE_CHECKING:
    from keycustomer.simulate.company import Company

Array = npt.NDArray[Any]

FEWEST = 5
"""Least number of accounts asked from which moments of latent scores are told."""

ALL = "all"
"""How rows over all waves, or all segments, are called."""


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true in a simulated company.

    Attributes
    ----------
    parameters : DataFrame
        Every coefficient of the process: parameter, of, value, unit, reason.
    accounts : DataFrame
        One row an account: customer_id, segment and its probabilities, weights, traits, elasticity,
        cross_elasticity, discount_response, level_response, demanding, potential.
    latents : DataFrame
        One row an account and wave while it is there: customer_id, wave, every latent's score,
        willingness_to_pay, response_chance, responded, and how its respondent uses scales.
    latent_moments : DataFrame
        One row a latent and wave (and all): mean and sd over the accounts that are there.
    correlations : DataFrame
        Correlations of the latents over all waves, a row and a column each.
    paths : DataFrame
        One row a path and wave (and all): source, target, coefficient, standardised, regression
        (on the true scores of all accounts), respondents (standardised, on the true scores of those
        who responded: what keeping silent does).
    indirect_effects : DataFrame
        One row a value dimension and wave (and all): through satisfaction on loyalty; indirect,
        direct and total effect and the standardised indirect and total ones.
    loadings : DataFrame
        One row a rating item, see `AnswerMoments.loadings`.
    reliabilities : DataFrame
        One row a construct, see `AnswerMoments.reliabilities`.
    weights : DataFrame
        One row a segment (and all), dimension and wave: mean weight.
    importance : DataFrame
        One row an attribute, segment (and all) and wave: true importance and mean statement.
    kano : DataFrame
        One row an attribute and segment (and all), see `kano_probabilities`.
    worths : DataFrame
        One row a level of the choice tasks and segment: what it is worth, EUR a month.
    response : DataFrame
        One row a wave: asked, responded, mean satisfaction of all and of those who responded.
    """

    parameters: pd.DataFrame
    accounts: pd.DataFrame
    latents: pd.DataFrame
    latent_moments: pd.DataFrame
    correlations: pd.DataFrame
    paths: pd.DataFrame
    indirect_effects: pd.DataFrame
    loadings: pd.DataFrame
    reliabilities: pd.DataFrame
    weights: pd.DataFrame
    importance: pd.DataFrame
    kano: pd.DataFrame
    worths: pd.DataFrame
    response: pd.DataFrame

    def frames(self) -> dict[str, pd.DataFrame]:
        """All frames by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{name}</td><td>{len(frame):,}</td><td>{', '.join(map(str, frame.columns))}"
            "</td></tr>"
            for name, frame in self.frames().items()
        )
        head = "<tr><th>frame</th><th>rows</th><th>columns</th></tr>"
        return f"<table><caption>Truth of a simulated company</caption>{head}{rows}</table>"


def company_truth(company: Company, measurement: Measurement | None = None) -> Truth:
    """Tabulate the truth of a company.

    Parameters
    ----------
    company : Company
        A simulated company with its panel.
    measurement : Measurement, optional
        How answers come from opinions; left out, the questionnaire's.

    Returns
    -------
    Truth

    Raises
    ------
    ValueError
        When fewer than `FEWEST` accounts were asked in all waves together.
    """
    measurement = measurement or Measurement()
    seen = observe(company, measurement)
    scores = _scores(company, seen.waves)
    if len(scores) < FEWEST:
        raise ValueError(
            f"the truth of {len(scores)} account(s) in all waves has no spread; simulate more "
            f"accounts, so that at least {FEWEST} are asked"
        )
    pooled = scores[list(LATENTS)]
    answered = implied_moments(measurement, pooled.cov().to_numpy(), pooled.mean().to_numpy())
    paths = _paths(company, seen.waves, scores)
    shares = np.bincount(company.accounts.segment, minlength=len(SEGMENTS)) / len(company.accounts)
    return Truth(
        parameters=company.parameters.to_frame(),
        accounts=_accounts(company),
        latents=scores,
        latent_moments=_latent_moments(scores),
        correlations=pooled.corr(),
        paths=paths,
        indirect_effects=_indirect_effects(paths),
        loadings=answered.loadings(measurement),
        reliabilities=answered.reliabilities(),
        weights=_weights(company, seen.waves),
        importance=_importance(company, seen.waves),
        kano=kano_probabilities(shares),
        worths=_worths(company, seen),
        response=_response(scores),
    )


def _accounts(company: Company) -> pd.DataFrame:
    accounts = company.accounts
    columns: dict[str, Any] = {
        "customer_id": customer_ids(accounts.number),
        "segment": texts(SEGMENTS, accounts.segment),
        "industry": texts(INDUSTRIES, accounts.industry),
        "region": texts(REGIONS, accounts.region),
    }
    for k, segment in enumerate(SEGMENTS):
        columns[f"probability {segment}"] = accounts.segment_probability[:, k]
    columns |= {f"weight {name}": accounts.weights[:, k] for k, name in enumerate(DIMENSIONS)}
    columns |= {f"trait {name}": accounts.traits[:, k] for k, name in enumerate(TRAITS)}
    told = ("elasticity", "cross_elasticity", "discount_response", "level_response", "demanding")
    columns |= {name: getattr(accounts, name) for name in (*told, "potential")}
    return pd.DataFrame(columns)


def _scores(company: Company, waves: list[Wave]) -> pd.DataFrame:
    """Latent scores of all accounts that are there, wave by wave."""
    ids = customer_ids(company.accounts.number)
    parts = []
    for wave in waves:
        there = np.flatnonzero(company.panel.active[wave.opinions.month])
        scores = wave.opinions.latents[there]
        columns: dict[str, Any] = {"customer_id": ids.take(there), "wave": wave.number}
        columns |= {name: scores[:, k] for k, name in enumerate(LATENTS)}
        columns |= {
            "willingness_to_pay": wave.worth[there],
            "response_chance": wave.chance[there],
            "responded": wave.responded[there],
            "acquiescence": wave.usage.shift[there],
            "stretch": wave.usage.factor[there],
            "straight_lining": wave.usage.straight[there] > 0,
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def _latent_moments(scores: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for wave, own in _by_wave(scores):
        moments = own[list(LATENTS)].agg(["mean", "std"]).T
        moments = moments.rename(columns={"std": "sd"}).rename_axis("latent").reset_index()
        moments.insert(1, "wave", wave)
        parts.append(moments)
    return pd.concat(parts, ignore_index=True)


def _by_wave(scores: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Scores of every wave, and of all together."""
    return [*((str(wave), own) for wave, own in scores.groupby("wave")), (ALL, scores)]


def _paths(company: Company, waves: list[Wave], scores: pd.DataFrame) -> pd.DataFrame:
    """Paths between latents, by wave and over all waves."""
    value = company.parameters.value
    loyalty = {
        "satisfaction": value.loyalty_satisfaction,
        "social": value.loyalty_social,
        "experiential": value.loyalty_experiential,
    }
    weights = _weights_there(company, waves)
    rows = []
    for wave, own in _by_wave(scores):
        mean = weights[wave].mean(axis=0)
        signed = dict(zip(DIMENSIONS, mean * [1, 1, 1, 1, -1], strict=True))
        model = {
            "satisfaction": signed,
            "loyalty": loyalty,
            "trust": TRUST_ON,
            "commitment": COMMITMENT_ON,
        }
        rows += [row for target, on in model.items() for row in _equation(wave, own, target, on)]
    return pd.DataFrame(rows)


def _equation(
    wave: str, scores: pd.DataFrame, target: str, on: dict[str, float]
) -> list[dict[str, Any]]:
    back = scores[scores["responded"]]
    found, answered = _regress(scores, target, on), _regress(back, target, on)
    spread = scores[target].std()
    return [
        {
            "source": source,
            "target": target,
            "wave": wave,
            "coefficient": coefficient,
            "standardised": coefficient * scores[source].std() / spread,
            "regression": found[source],
            "respondents": answered[source] * back[source].std() / back[target].std(),
        }
        for source, coefficient in on.items()
    ]


def _regress(scores: pd.DataFrame, target: str, on: dict[str, float]) -> dict[str, float]:
    """Least-squares coefficients; NaN where there are no more rows than coefficients."""
    if len(scores) <= len(on) + 1:
        return dict.fromkeys(on, np.nan)
    design = np.column_stack([np.ones(len(scores)), scores[list(on)].to_numpy()])
    found = np.linalg.lstsq(design, scores[target].to_numpy(), rcond=None)[0][1:]
    return dict(zip(on, found.tolist(), strict=True))


def _weights_of(company: Company, month: int) -> Array:
    return weights_at(company.accounts, company.parameters, month)


def _weights_there(company: Company, waves: list[Wave]) -> dict[str, Array]:
    """Give the true weights of the accounts that are there, by wave and over all."""
    months = {str(wave.number): wave.opinions.month for wave in waves}
    weights = {
        wave: _weights_of(company, month)[company.panel.active[month]]
        for wave, month in months.items()
    }
    return weights | {ALL: np.concatenate(list(weights.values()))}


def _indirect_effects(paths: pd.DataFrame) -> pd.DataFrame:
    """Multiply the paths from the dimensions to satisfaction and from there to loyalty."""
    known = {
        (row["wave"], row["target"], row["source"]): (row["coefficient"], row["standardised"])
        for row in paths.to_dict("records")
    }
    rows = []
    for wave in paths["wave"].unique():
        then = known[wave, "loyalty", "satisfaction"]
        for dimension in DIMENSIONS:
            first = known[wave, "satisfaction", dimension]
            beside = known.get((wave, "loyalty", dimension), (0.0, 0.0))
            rows.append(
                {
                    "source": dimension,
                    "through": "satisfaction",
                    "target": "loyalty",
                    "wave": wave,
                    "indirect": first[0] * then[0],
                    "direct": beside[0],
                    "total": first[0] * then[0] + beside[0],
                    "standardised_indirect": first[1] * then[1],
                    "standardised_total": first[1] * then[1] + beside[1],
                }
            )
    return pd.DataFrame(rows)


def _segments_there(company: Company, month: int) -> list[tuple[str, Array]]:
    """Positions of the accounts that are there, by segment and all."""
    there = company.panel.active[month]
    own = [
        (segment, np.flatnonzero(there & (company.accounts.segment == k)))
        for k, segment in enumerate(SEGMENTS)
    ]
    return [*own, (ALL, np.flatnonzero(there))]


def _weights(company: Company, waves: list[Wave]) -> pd.DataFrame:
    rows = []
    for wave in waves:
        weights = _weights_of(company, wave.opinions.month)
        for segment, who in _segments_there(company, wave.opinions.month):
            mean = weights[who].mean(axis=0) if len(who) else np.full(len(DIMENSIONS), np.nan)
            rows += [
                {
                    "segment": segment,
                    "dimension": dimension,
                    "wave": str(wave.number),
                    "accounts": len(who),
                    "weight": mean[k],
                }
                for k, dimension in enumerate(DIMENSIONS)
            ]
    return pd.DataFrame(rows)


def _importance(company: Company, waves: list[Wave]) -> pd.DataFrame:
    """Tabulate true importance beside what all accounts would state, answers left out aside."""
    parts = []
    for wave in waves:
        true = attribute_importance(_weights_of(company, wave.opinions.month))
        stated = np.column_stack([wave.answers[f"importance_{name}"] for name in ATTRIBUTES])
        for segment, who in _segments_there(company, wave.opinions.month):
            if not len(who):
                continue
            parts.append(
                pd.DataFrame(
                    {
                        "attribute": list(ATTRIBUTES),
                        "dimension": list(ATTRIBUTES.values()),
                        "layer": [ATTRIBUTE_LAYERS[name] for name in ATTRIBUTES],
                        "segment": segment,
                        "wave": str(wave.number),
                        "importance": true[who].mean(axis=0),
                        "stated": pd.DataFrame(stated[who]).mean().to_numpy(),
                    }
                )
            )
    frame = pd.concat(parts, ignore_index=True)
    ranks = frame.groupby(["segment", "wave"])[["importance", "stated"]].rank(ascending=False)
    return frame.assign(rank=ranks["importance"], stated_rank=ranks["stated"])


def _worths(company: Company, seen: Observation) -> pd.DataFrame:
    study = seen.study
    rows = []
    for segment, who in _segments_there(company, seen.waves[-1].opinions.month):
        place = SEGMENTS.index(segment) if segment != ALL else None
        for column, (attribute, level) in enumerate(study.worths.levels):
            drawn_around = WORTH[attribute].get(level, (0.0,) * len(SEGMENTS))
            rows.append(
                {
                    "segment": segment,
                    "attribute": attribute,
                    "level": level,
                    "mean_worth": study.worths.worth[who, column].mean() if len(who) else np.nan,
                    "segment_worth": np.nan if place is None else drawn_around[place],
                    "mean_sensitivity": study.worths.sensitivity[who].mean()
                    if len(who)
                    else np.nan,
                }
            )
    return pd.DataFrame(rows)


def _response(scores: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for wave, own in scores.groupby("wave"):
        back = own[own["responded"]]
        rows.append(
            {
                "wave": str(wave),
                "asked": len(own),
                "responded": len(back),
                "share": len(back) / len(own),
                "satisfaction_of_all": own["satisfaction"].mean(),
                "satisfaction_of_respondents": back["satisfaction"].mean(),
            }
        )
    return pd.DataFrame(rows)
