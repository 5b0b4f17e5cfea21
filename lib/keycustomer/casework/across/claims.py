"""The claims of the course, one line each, by the article that makes them.

Question: which claims are there to test, and what would have to be true for each to hold?

- :data:`ARTICLES`: the five articles.
- :data:`COURSE`: every claim as a :class:`Claim`, in the order of the course, tested or not.

Some claims are ways of working: the course carries them out (a customer file is checked, a list
for a campaign is drawn), and there is no yes or no to them.

Sources: five management articles on the value of key customers, told here in the project's own
words.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Article:
    """An article.

    Attributes
    ----------
    letter : str
        First letter of its claims' ids.
    name, chinese : str
        Its subject, and the Chinese term.
    """

    letter: str
    name: str
    chinese: str


@dataclass(frozen=True)
class Claim:
    """A claim of the course.

    Attributes
    ----------
    claim : str
        Its id.
    name : str
        A short name, for figures.
    statement : str
        What it says, in one line.
    chinese : str
        Chinese term, where the course has one.
    practice : bool
        Whether it is a way of working, carried out and not tested.
    """

    claim: str
    name: str
    statement: str
    chinese: str = ""
    practice: bool = False

    @property
    def article(self) -> str:
        """Letter of its article."""
        return self.claim[0]


ARTICLES = (
    Article("K", "Key-customer value management", "重点客户价值管理"),
    Article("T", "Six tools for marketing to large customers", "大客户战略营销的六种工具"),
    Article("R", "Customer-relationship marketing", "客户关系营销"),
    Article("M", "Customer relationships inside marketing", "客户关系管理"),
    Article("V", "Customer value", "顾客价值"),
)
"""Articles, in the order of the course."""

COURSE = (
    Claim(
        "K1",
        "20/80",
        "Twenty in a hundred customers bring eighty in a hundred of the value.",
        "帕累托效应",
    ),
    Claim(
        "K2",
        "two kinds of key customer",
        "Who is worth most from now on is not simply who has been worth most so far.",
    ),
    Claim(
        "K3",
        "resources concentrate",
        "A budget brings more where it is concentrated on key customers than spread evenly.",
    ),
    Claim(
        "K4",
        "two factors",
        "Some attributes only keep customers from being displeased, others please them.",
        "双因素理论",
    ),
    Claim(
        "K5",
        "three layers of a product",
        "What surrounds a product's core decides its value to the customer.",
    ),
    Claim(
        "K6",
        "service in three phases",
        "Service makes a difference before the sale, at the sale and after it.",
    ),
    Claim(
        "K7",
        "contacts bind",
        "Keeping in touch makes customers loyal and gives them a sense of belonging.",
    ),
    Claim(
        "K8",
        "prices by customer",
        "Prices that follow what a customer would pay bring more than one price for all.",
    ),
    Claim("K9", "green pays", "Customers pay more for what spares the environment."),
    Claim(
        "T1",
        "segments",
        "The market of large customers falls into groups that are found again.",
    ),
    Claim(
        "T2",
        "latent needs",
        "A full file on a customer tells its next need before it is spoken of.",
    ),
    Claim(
        "T3",
        "a system of service",
        "A complaint settled at the first contact keeps the customer who made it.",
    ),
    Claim(
        "T4",
        "service before price",
        "Service comes before discounts, and discounts are for those they keep.",
    ),
    Claim(
        "T5",
        "one responsible",
        "One responsible for each customer, and no quarrel over it, keeps customers.",
    ),
    Claim(
        "T6",
        "archive and relationship quality",
        "Key customers are better on file, and what is known of a relationship is one quality.",
    ),
    Claim(
        "T7",
        "a system, not a sum",
        "The six tools together bring more than each of them alone, added up.",
    ),
    Claim(
        "T8",
        "five troubles",
        "A house with the five troubles below can cure each of them, and the cure pays.",
    ),
    Claim(
        "T8a",
        "no criterion for large",
        "Who counts as a large customer depends on the measure that is taken.",
    ),
    Claim("T8b", "service alike for all", "Large customers get hardly other service than small."),
    Claim(
        "T8c",
        "agents in the way",
        "Agents and the house's own managers claim the same customers.",
    ),
    Claim("T8d", "price war", "Falling prices have taken from the margin."),
    Claim("T8e", "large customers leave", "The larger a customer, the more likely it leaves."),
    Claim(
        "R1",
        "identify customers",
        "Collect who the customers are, verify it, and delete what is out of date.",
        practice=True,
    ),
    Claim(
        "R2",
        "tell customers apart",
        "Classes A, B and C, and a list for each question about them.",
        practice=True,
    ),
    Claim(
        "R3",
        "good contact",
        "Trouble with the house drives customers away; every call is a chance to prevent it.",
    ),
    Claim(
        "R4",
        "adapt to each",
        "A plan of its own for each of the largest brings more than one plan for all of them.",
    ),
    Claim(
        "R5",
        "five kinds of need",
        "What customers say is important is not what moves them.",
    ),
    Claim(
        "R6",
        "five relationship levels",
        "A table of number and margin of customers gives each nearly the best level.",
        "基本型、被动型、负责型、能动型、伙伴型",
    ),
    Claim("R7", "switching costs", "What it costs to switch holds customers."),
    Claim(
        "M1",
        "static and dynamic",
        "Keep what customers are apart from what they do over time.",
        practice=True,
    ),
    Claim(
        "M2",
        "levers together",
        "One budget over all levers brings more than cuts of the same share everywhere.",
    ),
    Claim(
        "M3",
        "demand moves",
        "What moves the customers of high value changes, and has to be watched.",
    ),
    Claim(
        "M4",
        "database marketing",
        "Customers live in a database, and campaigns are drawn from it.",
        practice=True,
    ),
    Claim(
        "M5",
        "several kinds of variable",
        "Attitudes, demography, value and place each tell customers apart.",
    ),
    Claim("V1", "benefit against sacrifice", "Benefits held against sacrifices tell who is loyal."),
    Claim("V2", "four dimensions", "The dimensions of value are different things."),
    Claim(
        "V3",
        "value, satisfaction, loyalty",
        "Value makes customers loyal by way of making them satisfied.",
    ),
    Claim(
        "V4",
        "three types of customer",
        "Customers are relational, selective or transactional, and remain so.",
    ),
    Claim("V5", "history shows value", "Who often buys specials is driven by price."),
    Claim("V6", "needs change", "What satisfies customers changes over time."),
    Claim("V7", "strategic drivers", "One driver of value counts more than all others."),
)
"""Every claim, in the order of the course."""

BY_ID = {one.claim: one for one in COURSE}
"""Claims by id."""
