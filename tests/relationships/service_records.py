"""Service records made by hand or by a known law, without a base."""

import datetime as dt

import numpy as np
import pandas as pd
from keycustomer.relationships import CustomerMonths, ServiceRecord

START = dt.date(2024, 1, 1)


def months_of(customers, months, left=None, **columns):
    """Customer-months of customers who are there from the first month until they leave.

    `left` gives the number of each customer's last month, or -1; columns are arrays of shape
    (customers, months).
    """
    left = np.full(customers, -1) if left is None else np.asarray(left)
    who = np.repeat(np.arange(customers), months)
    number = np.tile(np.arange(months), customers)
    there = (left[who] < 0) | (number <= left[who])
    shape = (customers, months)
    usual = {"tenure": 1.0, "contract_left": 0, "level": 1, "revenue": 100.0, "margin": 40.0}
    usual |= {"products": 2, "last_year_revenue": 1200.0, "last_year_margin": 480.0}
    wide = {
        name: np.broadcast_to(value, shape).ravel() for name, value in (usual | columns).items()
    }
    frame = pd.DataFrame({"customer_id": [f"C{k:06d}" for k in who], "number": number} | wide)
    firsts = pd.date_range(START, periods=months, freq="MS")
    frame["month"] = firsts.to_numpy()[number]
    frame["left"] = left[who] == number
    if "channel" not in frame:
        frame["channel"] = "manager"
    frame = frame[there].reset_index(drop=True)
    people = pd.DataFrame({"customer_id": frame["customer_id"].unique()})
    last = (frame["number"] == months - 1) & ~frame["left"]
    return CustomerMonths(
        frame=frame,
        customers=people,
        start=START,
        end=(firsts[-1] + pd.offsets.MonthEnd(0)).date(),
        present=pd.Index(frame.loc[last, "customer_id"]),
        currency="EUR",
        simulated=False,
        excluded=pd.DataFrame({"reason": [], "customers": [], "rows": []}),
    )


def record_of(months, contacts=(), answers=None):
    """Record of contacts given as (customer, month, day, kind, more columns as a dict)."""
    places = {
        (int(c[1:]), n): k
        for k, (c, n) in enumerate(
            zip(months.frame["customer_id"], months.frame["number"], strict=True)
        )
    }
    rows = []
    for customer, number, day, kind, *more in contacts:
        date = pd.Timestamp(START) + pd.DateOffset(months=number) + pd.Timedelta(days=day - 1)
        row = {"row": places[customer, number], "date": date, "kind": kind}
        rows.append(row | (more[0] if more else {}))
    columns = ["row", "date", "kind", "phase", "resolved_on", "first", "cost"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["row"] = frame["row"].astype("int64")
    frame["resolved_on"] = pd.to_datetime(frame["resolved_on"])
    return finished(months, frame, answers)


def finished(months, frame, answers=None):
    """Record from a frame of contacts with places."""
    frame["first"] = frame["first"].astype("boolean")
    frame["is_contact"] = frame["kind"].isin(["visit", "call"])
    frame["is_complaint"] = frame["kind"] == "complaint"
    answers = pd.DataFrame({"row": np.zeros(0, dtype="int64")}) if answers is None else answers
    return ServiceRecord(months, frame, answers, ("visit", "call"), ("complaint",), 0, 0)


def counted_record(months, visits, answers=None):
    """Record with counts of visits by customer-month (as in the frame)."""
    row = np.repeat(np.arange(len(months.frame)), np.asarray(visits, dtype=int))
    blank = {"phase": None, "resolved_on": pd.NaT, "first": pd.NA, "cost": 90.0}
    date = months.frame["month"].to_numpy()[row]
    frame = pd.DataFrame({"row": row, "date": date, "kind": "visit"}).assign(**blank)
    return finished(months, frame, answers)
