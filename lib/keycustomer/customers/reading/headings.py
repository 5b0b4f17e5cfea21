"""Headings of data files and the columns of ours that they mean.

`match_columns` pairs a file's columns with those of a table by `HEADINGS` common in English,
German, French and Chinese, and by likeness of spelling.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

from keycustomer.customers.schema import TABLES

_CLOSE = 0.86
_SPELT_OUT = str.maketrans(
    {"ß": "ss", "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "œ": "oe"}
)

HEADINGS: dict[str, tuple[str, ...]] = {
    "customer_id": (
        "customer id", "customer", "client", "client id", "customer number", "customer no",
        "customer nr", "cust id", "account", "account id", "household id", "member id", "user id",
        "buyer id", "shopper id", "kunde", "kunden id", "kundennummer", "kunden nr", "kundennr",
        "debitor", "numero client", "code client", "id client", "no client", "客户", "客户编号",
        "客户号", "客户id", "客户代码", "会员号", "会员编号", "用户id", "顾客编号",
    ),
    "order_id": (
        "order id", "order", "order number", "order no", "invoice", "invoice id", "invoice no",
        "invoice number", "receipt", "receipt no", "basket id", "transaction id", "auftrag",
        "auftragsnummer", "bestellung", "bestellnummer", "rechnung", "rechnungsnummer",
        "rechnungsnr", "beleg", "belegnummer", "commande", "numero commande", "no commande",
        "facture", "numero facture", "no facture", "订单", "订单号", "订单编号", "发票号", "单号",
    ),
    "date": (
        "date", "order date", "invoice date", "purchase date", "transaction date", "day",
        "timestamp", "transaction timestamp", "datetime", "datum", "bestelldatum",
        "rechnungsdatum", "kaufdatum", "belegdatum", "auftragsdatum", "date commande",
        "date de commande", "date facture", "date de facture", "date achat", "日期", "订单日期",
        "下单时间", "下单日期", "购买日期", "交易日期", "时间",
    ),
    "product_id": (
        "product id", "product", "item", "item id", "sku", "stock code", "article", "article id",
        "product code", "upc", "ean", "artikel", "artikelnummer", "artikel nr", "artikelnr",
        "produkt", "produktnummer", "produit", "code produit", "reference", "产品", "产品编号",
        "商品", "商品编号", "货号", "产品代码",
    ),
    "quantity": (
        "quantity", "qty", "units", "pieces", "number of units", "menge", "anzahl", "stueck",
        "stuck", "stueckzahl", "quantite", "qte", "数量", "件数", "销量",
    ),
    "amount": (
        "amount", "sales", "revenue", "total", "value", "sales value", "line total", "net amount",
        "turnover", "paid", "spend", "dollar value", "betrag", "umsatz", "erloes", "summe", "wert",
        "gesamtbetrag", "nettobetrag", "nettoumsatz", "umsatzerloes", "montant", "montant total",
        "chiffre d affaires", "ca", "valeur", "金额", "销售额", "总价", "实付金额", "订单金额",
        "消费金额", "合计",
    ),
    "price": (
        "price", "unit price", "price per unit", "einzelpreis", "preis", "stueckpreis",
        "prix", "prix unitaire", "单价", "价格", "售价",
    ),
    "list_price": ("list price", "listenpreis", "prix catalogue", "prix public", "原价", "标价"),
    "list_amount": ("list amount", "gross amount", "bruttobetrag", "montant brut", "原价金额"),
    "discount": ("discount", "rebate", "rabatt", "nachlass", "remise", "rabais", "折扣",
                 "优惠金额"),
    "cost": ("cost", "costs", "total cost", "cogs", "kosten", "cout", "cout total", "成本"),
    "unit_cost": ("unit cost", "cost price", "einstandspreis", "stueckkosten", "cout unitaire",
                  "单位成本", "进价"),
    "currency": ("currency", "waehrung", "wahrung", "devise", "monnaie", "币种", "货币"),
    "channel": ("channel", "sales channel", "kanal", "vertriebskanal", "canal", "渠道", "销售渠道"),
    "name": ("name", "customer name", "company", "full name", "kundenname", "firma", "nom",
             "raison sociale", "nom client", "姓名", "名称", "客户名称", "公司"),
    "email": ("email", "e mail", "mail", "courriel", "邮箱", "电子邮件"),
    "phone": ("phone", "telephone", "telefon", "tel", "mobile", "电话", "手机"),
    "address": ("address", "street", "adresse", "strasse", "rue", "地址"),
    "city": ("city", "town", "ort", "stadt", "ville", "城市"),
    "postal_code": ("postal code", "zip", "zip code", "postcode", "plz", "postleitzahl",
                    "code postal", "邮编"),
    "country": ("country", "land", "pays", "国家"),
    "manager": ("manager", "account manager", "kundenbetreuer", "客户经理"),
    "joined_on": ("joined on", "joined", "customer since", "kunde seit", "client depuis",
                  "注册日期"),
    "category": ("category", "product category", "kategorie", "warengruppe", "categorie", "类别"),
    "brand": ("brand", "marke", "marque", "品牌"),
    "kind": ("kind", "type", "contact type", "art", "类型"),
}  # fmt: skip
"""Headings by our column, folded: lower case, without accents and signs."""


def match_columns(columns: Iterable[str], table: str) -> dict[str, str]:
    """Pair our columns of a table with a source's by their headings, the surest first.

    Parameters
    ----------
    columns : iterable of str
        The source's column names.
    table : str
        Table of the data model.

    Returns
    -------
    dict of str to str
        Ours to theirs; each of theirs at most once.
    """
    scored = [
        (score, -place, -order, ours, theirs)
        for place, theirs in enumerate(columns)
        for order, ours in enumerate(TABLES[table].columns)
        if (score := _likeness(theirs, ours)) >= _CLOSE
    ]
    mapping: dict[str, str] = {}
    for *_, ours, theirs in sorted(scored, reverse=True):
        if ours not in mapping and theirs not in mapping.values():
            mapping[ours] = theirs
    return {ours: mapping[ours] for ours in TABLES[table].columns if ours in mapping}


def _likeness(theirs: str, ours: str) -> float:
    heading = fold(theirs)
    if heading == fold(ours):
        return 1.0
    known = HEADINGS.get(ours, ())
    if heading in known:
        return 0.99 - 0.001 * known.index(heading)
    if heading.isascii() and len(heading) >= 5:
        compact = heading.replace(" ", "")
        ratios = (
            difflib.SequenceMatcher(None, compact, word.replace(" ", "")).ratio()
            for word in known
            if word.isascii() and len(word) >= 5
        )
        return 0.95 * max(ratios, default=0.0)
    return 0.0


def fold(heading: str) -> str:
    """Reduce a heading to its words: ``fold("Kunden-Nr.")`` is ``kunden nr``.

    A unit in brackets at its end is left out: ``fold("Betrag (EUR)")`` is ``betrag``.
    """
    # Full-width brackets become plain ones.
    plain = unicodedata.normalize("NFKC", heading).strip()
    unitless = re.sub(r"(?<=\S)\s*[(\[][^()\[\]]*[)\]]$", "", plain)
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unitless)
    spelt = parted.translate(_SPELT_OUT)
    bare = "".join(c for c in unicodedata.normalize("NFKD", spelt) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", bare.casefold()))
