"""The customer table on generated order lines, against raw DuckDB SQL, polars and pandas.

    python -m benchmarks.customer_table                    # 1 and 10 million lines
    python -m benchmarks.customer_table --lines 1e6 1e7 1e8

Every engine reads the same Parquet file and computes the same columns in a process of its own,
with the same threads; the sums of what they return have to agree to the last unit. Printed are
wall and CPU seconds, peak memory, the ratio to the raw query, and the exponent with which time
grows. `prepare` is the whole import with its checks and rules, done once for a case.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
import sys
from pathlib import Path

from benchmarks.measure import in_own_process, report

DATA = Path(__file__).parent / "data"
START, END = dt.date(2023, 1, 1), dt.date(2025, 12, 31)
MEMORY_LIMIT = "3GB"
# More lines than this do not fit into memory as pandas objects.
PANDAS_AT_MOST = 20_000_000

GENERATE = """
copy (
    select
        'c' || lpad(
            (power((hash(i // 3) % 1000003) / 1000003.0, 3) * {lines} / 20)::bigint::varchar, 8, '0'
        ) as customer_id,
        'o' || (i // 3) as order_id,
        date '2023-01-01' + (hash(i // 3, 1) % 1000)::int as date,
        'p' || (hash(i, 2) % 20000) as product_id,
        (1 + hash(i, 3) % 5)::decimal(18, 4) as quantity,
        ((hash(i, 4) % 5000) / 100.0)::decimal(18, 4) as amount,
        case when hash(i, 5) % 10 < 3 then ((hash(i, 6) % 500) / 100.0) else 0
            end::decimal(18, 4) as discount,
        ((hash(i, 7) % 3000) / 100.0)::decimal(18, 4) as cost
    from range({lines}) as lines(i)
) to '{path}' (format parquet)
"""

# What an analyst would write: distinct counts and a window for the first purchase day.
RAW = """
with lines as (
    select *, amount as revenue, min(date) over (partition by customer_id) as first_day
    from read_parquet($path)
)
select
    customer_id,
    count(distinct date) - 1 as frequency,
    date_diff('day', min(date), max(date))::double as recency,
    date_diff('day', min(date), $end::date)::double as "T",
    sum(revenue) filter (date > first_day)::double
        / nullif(count(distinct date) - 1, 0) as monetary_value,
    count(distinct order_id) as orders,
    sum(quantity)::double as units,
    sum(revenue)::double as revenue,
    sum(discount)::double as discount,
    sum(revenue - cost)::double as margin,
    min(date) as first_order,
    max(date) as last_order,
    count(distinct product_id) as products,
    (sum(revenue) filter (discount > 0))::double / sum(revenue)::double as deal_share
from lines
group by customer_id
order by customer_id
"""


def parquet(lines: int) -> Path:
    """Return the generated file of so many lines, made once."""
    import duckdb

    path = DATA / f"lines_{lines}.parquet"
    if not path.exists():
        DATA.mkdir(exist_ok=True)
        print(f"generating {lines:,} lines", flush=True)
        with duckdb.connect() as connection:
            connection.execute("set preserve_insertion_order = false; set memory_limit = '3GB'")
            connection.execute(f"set temp_directory = '{DATA / 'spill'}'")
            connection.execute(GENERATE.format(lines=lines, path=f"{path}.part"))
        Path(f"{path}.part").rename(path)
    return path


def summary(table) -> dict[str, float]:
    """Return what all engines have to agree on."""
    return {
        "customers": len(table),
        "frequency": int(table["frequency"].sum()),
        "orders": int(table["orders"].sum()),
        "products": int(table["products"].sum()),
        "revenue": round(math.fsum(table["revenue"]), 4),
        "margin": round(math.fsum(table["margin"]), 4),
    }


def same(one: dict[str, float], other: dict[str, float]) -> bool:
    """Whether two summaries agree; pandas adds floats, hence twelve digits of money."""
    return all(math.isclose(one[name], other[name], rel_tol=1e-12) for name in other)


def raw(lines: int):
    """Run the hand-written query on the Parquet file."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
        connection.execute(f"set temp_directory = '{DATA / 'spill'}'")
        return connection.execute(RAW, {"path": str(parquet(lines)), "end": END}).df()


def prepare(lines: int):
    """Import with all checks and rules; nothing is reused."""
    from keycustomer.customers import BaseSpecification, prepare_base

    specification = BaseSpecification.model_validate(
        {
            "title": "Generated",
            "simulated": True,
            "currency": "EUR",
            "observed": {"start": START, "end": END},
            "tables": {"transactions": {"parquet": str(parquet(lines))}},
            "rules": {"zero_price": "keep", "duplicate_line": "keep"},
        }
    )
    path = DATA / f"base_{lines}.duckdb"
    return prepare_base(specification, DATA, path, memory_limit=MEMORY_LIMIT, force=True)


def keycustomer(lines: int):
    """Compute the customer table from the prepared base."""
    from keycustomer.customers import customer_table, open_base

    base = open_base(DATA / f"base_{lines}.duckdb", memory_limit=MEMORY_LIMIT)
    return customer_table(base)


def polars(lines: int):
    """Compute the same in polars, lazily."""
    import polars as pl

    frame = pl.scan_parquet(parquet(lines)).with_columns(
        first_day=pl.col("date").min().over("customer_id")
    )
    repeat = pl.col("date") > pl.col("first_day")
    table = frame.group_by("customer_id").agg(
        frequency=pl.col("date").n_unique() - 1,
        recency=(pl.col("date").max() - pl.col("date").min()).dt.total_days(),
        T=(pl.lit(END) - pl.col("date").min()).dt.total_days(),
        again=pl.col("amount").filter(repeat).sum(),
        orders=pl.col("order_id").n_unique(),
        units=pl.col("quantity").sum(),
        revenue=pl.col("amount").sum(),
        discount=pl.col("discount").sum(),
        margin=(pl.col("amount") - pl.col("cost")).sum(),
        first_order=pl.col("date").min(),
        last_order=pl.col("date").max(),
        products=pl.col("product_id").n_unique(),
        on_deal=pl.col("amount").filter(pl.col("discount") > 0).sum(),
    )
    numbers = pl.col("again", "units", "revenue", "discount", "margin", "on_deal")
    table = table.with_columns(numbers.cast(pl.Float64)).sort("customer_id")
    return table.collect().to_pandas()


def pandas(lines: int):
    """Compute the same in pandas."""
    import pandas as pd

    frame = pd.read_parquet(parquet(lines))
    numbers = ["quantity", "amount", "discount", "cost"]
    frame[numbers] = frame[numbers].astype(float)
    frame["date"] = pd.to_datetime(frame["date"])
    frame["margin"] = frame["amount"] - frame["cost"]
    groups = frame.groupby("customer_id")
    table = groups.agg(
        first_order=("date", "min"),
        last_order=("date", "max"),
        frequency=("date", "nunique"),
        orders=("order_id", "nunique"),
        products=("product_id", "nunique"),
        units=("quantity", "sum"),
        revenue=("amount", "sum"),
        discount=("discount", "sum"),
        margin=("margin", "sum"),
    )
    table["frequency"] -= 1
    table["recency"] = (table["last_order"] - table["first_order"]).dt.days
    table["T"] = (pd.Timestamp(END) - table["first_order"]).dt.days
    repeat = frame[frame["date"] > groups["date"].transform("min")]
    again = repeat.groupby("customer_id")["amount"].sum()
    table["monetary_value"] = again / table["frequency"].where(table["frequency"] > 0)
    on_deal = frame[frame["discount"] > 0].groupby("customer_id")["amount"].sum()
    table["deal_share"] = on_deal / table["revenue"]
    return table.reset_index()


ENGINES = {"raw": raw, "prepare": prepare, "keycustomer": keycustomer, "polars": polars}
ENGINES["pandas"] = pandas


def job(engine: str, lines: int) -> None:
    """Run one engine and print what the others have to agree on."""
    result = ENGINES[engine](lines)
    print(json.dumps({} if engine == "prepare" else summary(result)))


def main() -> None:
    """Measure all engines at all sizes and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", nargs="+", type=float, default=[1e6, 1e7])
    parser.add_argument("--engines", nargs="+", default=list(ENGINES), choices=list(ENGINES))
    arguments = parser.parse_args()
    seconds: dict[str, dict[int, float]] = {name: {} for name in arguments.engines}
    for lines in map(int, arguments.lines):
        parquet(lines)
        told = {}
        for engine in arguments.engines:
            if engine == "pandas" and lines > PANDAS_AT_MOST:
                print(f"{engine:12} {lines:>12,}  left out: the lines do not fit into memory")
                continue
            command = f"from benchmarks.customer_table import job; job({engine!r}, {lines})"
            usage, output = in_own_process([sys.executable, "-c", command])
            seconds[engine][lines] = usage.cpu
            told[engine] = json.loads(output.splitlines()[-1])
            against = seconds.get("raw", {}).get(lines)
            report(engine, lines, usage, against)
        agree = [answer for answer in told.values() if answer]
        assert all(same(answer, agree[0]) for answer in agree), told
    for engine, by_lines in seconds.items():
        if len(by_lines) > 1:
            small, large = min(by_lines), max(by_lines)
            growth = math.log(by_lines[large] / by_lines[small]) / math.log(large / small)
            print(f"{engine:12} CPU time grows with lines^{growth:.2f}")


if __name__ == "__main__":
    main()
