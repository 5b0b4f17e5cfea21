"""Rules take out what they say, each row by the first that applies, and it adds up."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from keycustomer.customers.prepare import prepare_base
from keycustomer.customers.rules import RULES, Decision, did_you_mean, resolve, rules_table
from keycustomer.customers.specification import RuleSpecification
from raw_tables import LINES, case, check, finding

DAY = "2024-01-0"
# A base that nobody pays for is refused; this customer's line stands last and is left out again.
PAID = f"payer,o99,{DAY}9,p99,1,100\n"


def base_of(folder, text, **options):
    """Prepare a base of order lines."""
    specification = case(folder, text, **options)
    return prepare_base(specification, folder, folder / "base.duckdb", force=True)


def kept(base) -> list[tuple]:
    """Order lines of a base: line, customer, quantity, revenue."""
    frame = base.query("select line, customer_id, quantity, revenue from transactions")
    return [tuple(row) for row in frame.itertuples(index=False)]


def taken(base) -> dict[str, tuple[int, float]]:
    """Rows and value taken out by each rule."""
    sums = base.exclusions.groupby("rule", sort=False)[["rows", "value"]].sum()
    return {rule: (int(row["rows"]), float(row["value"])) for rule, row in sums.iterrows()}


def test_the_registry_states_every_rule():
    for name, rule in RULES.items():
        assert rule.flags and rule.default == rule.actions[0], name
    assert list(RULES)[-1] == "returns"


def test_undeclared_rules_take_their_default():
    decisions, findings = resolve({}, has_orders=True)
    assert findings == []
    assert set(decisions) == set(RULES) - {"large_quantity", "large_amount"}
    assert decisions["duplicate_line"] == Decision("error")
    assert resolve({}, has_orders=False)[0]["duplicate_line"] == Decision("keep")


def test_a_declared_rule_is_a_note_a_default_a_warning():
    declared = {"zero_price": RuleSpecification(action="keep")}
    decisions, _ = resolve(declared, has_orders=True)
    assert decisions["zero_price"].severity == "note"
    assert decisions["zero_quantity"].severity == "warning"
    assert decisions["returns"].severity == "error"


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("return", "did you mean 'returns'?"),
        ("Duplicate_Lines", "did you mean 'duplicate_line'?"),
        ("xyz", "there are: a, b"),
    ],
)
def test_names_close_to_a_wrong_one_are_suggested(name, suggestion):
    assert did_you_mean(name, ["a", "b"] if name == "xyz" else RULES) == suggestion


def test_the_first_rule_that_applies_takes_the_row(tmp_path):
    # Row 2 lacks its customer, is dated in the future, costs nothing: the first counts.
    text = LINES + f"c1,o1,{DAY}1,p1,1,5\n,o2,2999-01-01,p1,0,0\nc1,o3,2999-01-01,p1,0,0\n"
    rules = dict.fromkeys(
        ("zero_price", "zero_quantity", "future_date", "missing_customer"), "drop"
    )
    base = base_of(tmp_path, text, rules=rules)
    assert taken(base) == {"missing_customer": (1, 0.0), "future_date": (1, 0.0)}
    assert kept(base) == [(1, "c1", 1.0, 5.0)]


DROPS = {
    "unreadable_value": ("c1,o2,2024-13-01,p1,1,7", 7.0),
    "missing_customer": (",o2,2024-01-02,p1,1,7", 7.0),
    "future_date": ("c1,o2,2999-01-02,p1,1,7", 7.0),
    "zero_quantity": ("c1,o2,2024-01-02,p1,0,7", 7.0),
    "zero_price": ("c1,o2,2024-01-02,p1,1,0", 0.0),
    "returns": ("c1,o2,2024-01-02,p1,-1,-7", -7.0),
    "unknown_product": ("c1,o2,2024-01-02,p9,1,7", 7.0),
    "duplicate_line": ("c1,o1,2024-01-01,p1,1,5", 5.0),
    "duplicate_order": ("c2,o1,2024-01-01,p1,1,7", 7.0),
}


@pytest.mark.parametrize("rule", DROPS)
def test_drop_takes_the_row_out_and_counts_it(tmp_path, rule):
    line, value = DROPS[rule]
    text = LINES + f"c1,o1,{DAY}1,p1,1,5\n{line}\n"
    base = base_of(tmp_path, text, rules={rule: "drop"}, products="product_id\np1\n")
    assert taken(base) == {rule: (1, value)}
    assert kept(base) == [(1, "c1", 1.0, 5.0)]
    assert base.exclusions["action"].tolist() == ["drop"]


def test_lines_outside_the_window_are_dropped(tmp_path):
    text = LINES + "".join(f"c1,o{d},{DAY}{d},p1,1,{d}\n" for d in range(1, 6))
    base = base_of(tmp_path, text, observed={"start": f"{DAY}2", "end": f"{DAY}4"})
    assert [row[0] for row in kept(base)] == [2, 3, 4]
    assert taken(base) == {"outside_window": (2, 6.0)}
    assert (base.start, base.end) == (dt.date(2024, 1, 2), dt.date(2024, 1, 4))


def test_the_window_ends_with_the_days_seen_where_none_is_declared(tmp_path):
    text = LINES + f"c1,o1,{DAY}3,p1,1,5\nc1,o2,{DAY}5,p1,1,5\n"
    base = base_of(tmp_path, text)
    assert (base.start, base.end) == (dt.date(2024, 1, 3), dt.date(2024, 1, 5))


@pytest.mark.parametrize(
    ("rule", "line"), [("large_quantity", "1001,5"), ("large_amount", "1,1000.01")]
)
def test_a_threshold_is_exceeded_above_it_only(tmp_path, rule, line):
    text = LINES + f"c1,o1,{DAY}1,p1,1000,1000\nc1,o2,{DAY}1,p1,{line}\n"
    base = base_of(tmp_path, text, rules={rule: {"action": "drop", "above": 1000}})
    assert [row[0] for row in kept(base)] == [1]


def test_other_currencies_are_dropped(tmp_path):
    text = f"customer_id,date,amount,currency\nc1,{DAY}1,5,EUR\nc1,{DAY}2,6,USD\nc1,{DAY}3,7,\n"
    base = base_of(tmp_path, text, rules={"mixed_currency": "drop"})
    assert taken(base) == {"mixed_currency": (2, 13.0)}


def test_a_mixed_order_keeps_its_first_day_and_customer(tmp_path):
    text = LINES + (
        f"c2,o1,{DAY}1,p1,1,1\nc1,o1,{DAY}1,p2,1,2\nc1,o1,{DAY}2,p3,1,3\nc1,o1,{DAY}1,p4,1,4\n"
    )
    base = base_of(tmp_path, text, rules={"duplicate_order": "drop"})
    assert [row[0] for row in kept(base)] == [2, 4]
    assert taken(base) == {"duplicate_order": (2, 4.0)}


def test_ids_are_trimmed_only_on_request(tmp_path):
    text = LINES + f" 007,o1,{DAY}1,p1,1,5\n007\u00a0,o2,{DAY}2,p1,1,5\n7,o3,{DAY}2,p1,1,5\n"
    assert [row[1] for row in kept(base_of(tmp_path, text))] == [" 007", "007\u00a0", "7"]
    trimmed = base_of(tmp_path, text, rules={"id_blanks": "trim"})
    assert [row[1] for row in kept(trimmed)] == ["007", "007", "7"]
    report = check(tmp_path, text, rules={"id_blanks": "trim"})
    assert str(finding(report, "id_blanks")) == (
        "note: transactions.customer_id (column 'customer_id' of CSV file transactions.csv): "
        "2 rows with blanks around customer_id [id_blanks]\n"
        "    row 1: customer_id ' 007'\n"
        r"    row 2: customer_id '007\xa0'"
        "\n  cure: trimmed, as the case file says"
    )


@pytest.mark.parametrize("rule", ["id_blanks", "id_case", "id_leading_zeros"])
def test_look_alike_ids_may_be_refused(tmp_path, rule):
    twin = {"id_blanks": "a 1", "id_case": "A1", "id_leading_zeros": "0a1"}[rule]
    text = LINES + f"a1,o1,{DAY}1,p1,1,5\n{twin},o2,{DAY}2,p1,1,5\n"
    (error,) = check(tmp_path, text, rules={rule: "error"}).errors
    assert error.rule == rule


def test_look_alikes_are_found_across_tables(tmp_path):
    text = LINES + f"a1,o1,{DAY}1,p1,1,5\n"
    report = check(tmp_path, text, customers="customer_id\nA1\n")
    found = finding(report, "id_case")
    assert found.examples == ("'A1', 'a1'",)
    assert found.source == (
        "column 'customer_id' of CSV file transactions.csv and "
        "column 'customer_id' of CSV file customers.csv"
    )


def test_a_customer_listed_twice_keeps_the_record_updated_last(tmp_path):
    customers = (
        "customer_id,name,updated_on\n"
        f"c1,old,{DAY}1\nc1,new,{DAY}3\nc1,undated,\nc2,only,\nc3,first,\nc3,second,\n"
    )
    rules = {"duplicate_customer": "drop"}
    base = base_of(tmp_path, LINES + f"c1,o1,{DAY}1,p1,1,5\n", customers=customers, rules=rules)
    names = base.query("select customer_id, name from customers order by customer_id")
    assert names["name"].tolist() == ["new", "only", "first"]
    assert base.exclusions["rows"].tolist() == [3]
    assert base.exclusions["value"].isna().all()


def test_a_product_listed_twice_keeps_the_first(tmp_path):
    products = "product_id,name\np1,first\np1,second\n"
    rules = {"duplicate_product": "drop"}
    base = base_of(tmp_path, LINES + f"c1,o1,{DAY}1,p1,1,5\n", products=products, rules=rules)
    assert base.query("select name from products")["name"].tolist() == ["first"]


def test_contacts_of_unknown_customers_may_be_dropped(tmp_path):
    interactions = f"customer_id,date,kind\nc9,{DAY}1,visit\nc1,{DAY}1,call\nc2,{DAY}1,call\n"
    base = base_of(
        tmp_path,
        LINES + f"c1,o1,{DAY}1,p1,1,5\n",
        interactions=interactions,
        customers="customer_id\nc2\n",
        rules={"unknown_customer": "drop"},
    )
    assert base.query("select customer_id from interactions")["customer_id"].tolist() == [
        "c1",
        "c2",
    ]
    gone = base.exclusions[["table_name", "rule", "rows"]]
    assert gone.values.tolist() == [["interactions", "unknown_customer", 1]]


# Hand-made: who returns what, and what is left of each line.
NETTING = [
    (
        "from the latest earlier purchase",
        ["c1,o1,1,p1,2,20", "c1,o2,2,p1,2,20", "c1,o3,3,p1,-1,-10"],
        [(1, 2, 20), (2, 1, 10)],
    ),
    (
        "then from the one before",
        ["c1,o1,1,p1,2,20", "c1,o2,2,p1,1,10", "c1,o3,3,p1,-2,-20"],
        [(1, 1, 10), (2, 0, 0)],
    ),
    (
        "on the same day, wherever the line stands",
        ["c1,o2,1,p1,-1,-10", "c1,o1,1,p1,1,10"],
        [(2, 0, 0)],
    ),
    (
        "never from a later purchase: it stays",
        ["c1,o1,1,p1,-1,-10", "c1,o2,2,p1,1,10"],
        [(1, -1, -10), (2, 1, 10)],
    ),
    (
        "never below zero: the rest stays",
        ["c1,o1,1,p1,1,10", "c1,o2,2,p1,-3,-30"],
        [(1, 0, 0), (2, -2, -20)],
    ),
    (
        "of the same product only",
        ["c1,o1,1,p1,1,10", "c1,o2,2,p2,-1,-10"],
        [(1, 1, 10), (2, -1, -10)],
    ),
    (
        "of the same customer only",
        ["c1,o1,1,p1,1,10", "c2,o2,2,p1,-1,-10"],
        [(1, 1, 10), (2, -1, -10)],
    ),
    (
        "of the order that the return names",
        ["c1,o1,1,p1,1,10", "c1,o2,2,p1,1,10", "c1,o1,3,p1,-1,-10"],
        [(1, 0, 0), (2, 1, 10)],
    ),
    (
        "not beyond the order that the return names",
        ["c1,o1,1,p1,1,10", "c1,o2,2,p1,1,10", "c1,o1,3,p1,-2,-20"],
        [(1, 0, 0), (2, 1, 10), (3, -1, -10)],
    ),
    (
        "a purchase between two returns is not touched by the first",
        ["c1,o1,1,p1,1,10", "c1,o2,2,p1,-2,-20", "c1,o3,3,p1,1,10"],
        [(1, 0, 0), (2, -1, -10), (3, 1, 10)],
    ),
    (
        "a credit without units takes value only",
        ["c1,o1,1,p1,2,20", "c1,o2,2,p1,0,-5"],
        [(1, 2, 15)],
    ),
    (
        "a restocking fee stays as revenue without units",
        ["c1,o1,1,p1,1,10", "c1,o2,2,p1,-1,-8"],
        [(1, 0, 2)],
    ),
    (
        "units given back without money",
        ["c1,o1,1,p1,3,30", "c1,o2,2,p1,-1,0"],
        [(1, 2, 30)],
    ),
    (
        "a positive amount beside negative units is money given back",
        ["c1,o1,1,p1,3,30", "c1,o2,2,p1,-1,10"],
        [(1, 2, 20)],
    ),
]


@pytest.mark.parametrize(("lines", "left"), [c[1:] for c in NETTING], ids=[c[0] for c in NETTING])
def test_a_return_is_set_against_the_original_order(tmp_path, lines, left):
    fields = [line.split(",") for line in lines]
    text = LINES + "".join(f"{c},{o},{DAY}{d},{p},{q},{a}\n" for c, o, d, p, q, a in fields)
    base = base_of(tmp_path, text + PAID, rules={"returns": "net", "duplicate_order": "keep"})
    found = base.query("select line, quantity, revenue from transactions").iloc[:-1]
    assert [tuple(row) for row in found.itertuples(index=False)] == left


def test_what_a_return_finds_and_does_not_find_is_counted(tmp_path):
    text = LINES + f"c1,o1,{DAY}1,p1,1,10\nc1,o2,{DAY}2,p1,-1,-4\nc2,o3,{DAY}2,p1,-1,-3\n"
    base = base_of(tmp_path, text, rules={"returns": "net"})
    assert base.exclusions.drop(columns="table_name").values.tolist() == [
        ["returns", "net", 1, -4.0, "returns set against earlier purchases"],
        ["returns", "net", 0, 4.0, "subtracted from 1 purchase line"],
    ]
    report = check(tmp_path, text, rules={"returns": "net"})
    unmatched = next(f for f in report.warnings if f.rule == "returns")
    assert str(unmatched) == (
        "warning: transactions.quantity (CSV file transactions.csv): 1 return, value 3, without "
        "enough earlier purchases of the same customer and product [returns]\n"
        "    row 3: 3 left\n"
        "  cure: they stay as negative lines; their purchases may lie before the data begin"
    )


def test_discount_and_cost_shrink_with_the_value_given_back(tmp_path):
    text = (
        "customer_id,date,product_id,quantity,amount,list_amount,cost\n"
        f"c1,{DAY}1,p1,4,40,60,20\nc1,{DAY}2,p1,-1,-10,-15,-5\n"
    )
    base = base_of(tmp_path, text, rules={"returns": "net"})
    found = base.query("select quantity, revenue, discount, cost from transactions")
    assert found.values.tolist() == [[3.0, 30.0, 15.0, 15.0]]


def by_hand(lines: list[tuple]) -> list[list]:
    """Set returns off with a stack and a loop: what is left of value and units of each line."""
    lines = [[*line, abs(line[5]), abs(line[4]), line[4] < 0 or line[5] < 0] for line in lines]
    for line in lines:
        if line[8] and line[4] >= 0:
            line[7] = 0
    bought = {(c, p, o) for c, o, _, p, *_, back in lines if not back and o is not None}
    own = [line[8] and (line[0], line[3], line[1]) in bought for line in lines]
    worth = [(line[6], line[7]) for line in lines]

    def key(n: int) -> tuple:
        line = lines[n]
        return (line[2], line[8], *worth[n], line[1] is None, line[1] or "", n)

    for names_order in (True, False):
        for part in (6, 7):
            stacks: dict[tuple, list[int]] = {}
            for n in sorted(range(len(lines)), key=key):
                line = lines[n]
                group = (line[0], line[3], line[1]) if names_order else (line[0], line[3])
                stack = stacks.setdefault(group, [])
                if not line[8]:
                    stack.append(n)
                elif own[n] == names_order:
                    while line[part] and stack:
                        take = min(line[part], lines[stack[-1]][part])
                        line[part] -= take
                        lines[stack[-1]][part] -= take
                        if not lines[stack[-1]][part]:
                            stack.pop()
    return lines


MONEY = st.integers(1, 9)
EVENT = st.tuples(
    st.sampled_from(["c1", "c2"]),
    st.sampled_from(["o1", "o2", "o3", None]),
    st.integers(1, 6),
    st.sampled_from(["p1", "p2"]),
    MONEY,
    MONEY,
    st.booleans(),
)
# A base takes a good part of a second, so few but rich examples; shrinking them would take minutes.
SLOW = settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@SLOW
@given(st.lists(EVENT, min_size=15, max_size=60))
def test_netting_agrees_with_a_stack_and_a_loop(tmp_path, events):
    signed = [(c, o, d, p, -q if r else q, -v if r else v) for c, o, d, p, q, v, r in events]
    text = LINES + "".join(f"{c},{o or ''},{DAY}{d},{p},{q},{a}\n" for c, o, d, p, q, a in signed)
    rules = {"returns": "net", "duplicate_order": "keep", "duplicate_line": "keep"}
    base = base_of(tmp_path, text + PAID, rules=rules)
    expected = [
        (n, -units if back else units, -value if back else value)
        for n, (*_, value, units, back) in enumerate(by_hand(signed), 1)
        if not back or value
    ]
    found = base.query("select line, quantity, revenue from transactions").iloc[:-1]
    assert [tuple(row) for row in found.itertuples(index=False)] == expected


FLAWED = st.tuples(
    st.sampled_from(["c1", "c2", "C1", " c1", ""]),
    st.sampled_from(["o1", "o2", "o3", "o4", "o5", "o6"]),
    st.sampled_from(["2024-01-01", "2024-01-02", "2024-02-01", "2999-01-01", "01.01.2024", ""]),
    st.sampled_from(["p1", "p2", "p9"]),
    st.sampled_from(["1", "2", "0", "-1", "5000", "x"]),
    st.sampled_from(["1", "2.5", "10", "0", "-1", "-2.5", "9999", "y"]),
    st.sampled_from(["EUR", "EUR", "EUR", "USD"]),
)
COLUMNS = "customer_id,order_id,date,product_id,quantity,amount,currency\n"
ALL_DROP = {
    name: {"action": "drop", "above": 1000} if rule.threshold else "drop"
    for name, rule in RULES.items()
    if "drop" in rule.actions
}
NET = ALL_DROP | {"returns": "net", "duplicate_line": "keep", "unknown_product": "keep"}
GOOD = ("good", "o0", "2024-01-01", "p1", "1", "3", "EUR")


def table_of(rows: list[tuple]) -> str:
    return COLUMNS + "".join(",".join(row) + "\n" for row in rows)


@SLOW
@given(rows=st.lists(FLAWED, min_size=10, max_size=50), rules=st.sampled_from([ALL_DROP, NET]))
def test_rows_and_value_read_are_rows_and_value_kept_plus_excluded(tmp_path, rows, rules):
    rows = [GOOD, *rows]
    base = base_of(
        tmp_path,
        table_of(rows),
        rules=rules,
        observed={"end": "2024-01-31"},
        products="product_id\np1\np2\n",
    )
    gone = base.exclusions
    total = base.query("select count(*) as n, sum(revenue) as value from transactions").iloc[0]
    assert total["n"] + gone["rows"].sum() == len(rows)
    read = sum(Decimal(row[5]) for row in rows if row[5] != "y")
    assert round(total["value"] + gone["value"].sum(), 4) == float(read)


@SLOW
@given(
    rows=st.lists(FLAWED, min_size=10, max_size=40),
    rules=st.sampled_from([ALL_DROP, NET]),
    shuffle=st.randoms(use_true_random=False),
)
def test_the_order_of_rows_does_not_matter(tmp_path, rows, rules, shuffle):
    rows = [GOOD, *rows]
    shuffled = rows.copy()
    shuffle.shuffle(shuffled)
    content = []
    for lines in (rows, shuffled):
        base = base_of(tmp_path, table_of(lines), rules=rules)
        content.append(
            base.query("select * exclude (line) from transactions order by all").to_csv()
            + base.exclusions.to_csv()
        )
    assert content[0] == content[1]


def test_side_tables_follow_their_rules(tmp_path):
    interactions = (
        "customer_id,date,kind,cost\n"
        "c1,2024-01-01,call,5\nc1,2999-01-01,call,5\n,2024-01-01,call,5\nc1,2024-01-01,call,five\n"
        "c1,2024-01-01,,5\n"
    )
    contracts = "customer_id,start,end\nc1,2024-01-01,9999-12-31\nc1,,\n"
    rules = dict.fromkeys(("future_date", "missing_customer", "unreadable_value"), "drop")
    text = LINES + f"c1,o1,{DAY}1,p1,1,5\n"
    base = base_of(tmp_path, text, interactions=interactions, contracts=contracts, rules=rules)
    assert base.query("select cost from interactions")["cost"].tolist() == [5.0]
    assert base.query('select "end" from contracts')["end"].astype(str).tolist() == ["9999-12-31"]
    gone = base.exclusions[["table_name", "rule", "rows"]].values.tolist()
    assert gone == [
        ["interactions", "unreadable_value", 2],
        ["interactions", "missing_customer", 1],
        ["interactions", "future_date", 1],
        ["contracts", "unreadable_value", 1],
    ]


def test_the_rules_can_be_listed():
    table = rules_table().set_index("rule")
    assert list(table.index) == list(RULES)
    assert table.loc["returns", "actions"] == "error, net, drop, keep"
    assert table.loc["large_amount", "default"] == "only when declared"
    assert table.loc["zero_price", "default"] == "keep"
