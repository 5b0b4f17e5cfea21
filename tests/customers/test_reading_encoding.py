"""Encodings: detected surely, or refused with candidates; never mojibake."""

from __future__ import annotations

import pytest
from keycustomer.customers.reading import SourceError
from keycustomer.customers.reading import encoding as encodings
from keycustomer.customers.reading.encoding import identify, transcode

WESTERN = [
    "Müller;Straße\nKöln;5\n",
    "Hélène,Crème brûlée\nFrançoise,5\nà la carte\n",
    "José;Muñoz;€ 5\nPeña",
    "São Paulo,João,Conceição,Simões",
    "Søren,Ægir,Åse\n",
    "L\u2019été;“Ça va”;n°5;5 €;aujourd\u2019hui\n",
    "Citroën,Noël,Nestlé®,O\u2019Brien,it\u2019s\n",
    "ESPAÑA;ÉCOLE;FRANÇOIS;MÜNCHEN",
    "Café;Menü;größe;Gruß;Malmö",
    "Perché,città,più,però,caffè\n",
]
CHINESE = [
    "客户,金额\n张伟,5\n李娜,6\n北京,上海\n",
    "客户编号,订单号,日期,金额\nC1,2,3,4\n",
    "公司名称;联系电话\n上海贸易有限公司;021\n",
]
OTHERS = [
    ("고객,금액\n김철수,5\n이영희,6\n서울,부산\n", "euc_kr"),
    ("Dvořák,Němec\nKučera\nŽižek\n", "cp1250"),
    ("Kovačević", "cp1250"),
    ("Novák;Kováč;Horváth", "cp1250"),
    ("Złoty,Gdańsk\nŁódź\n", "cp1250"),
    ("Erdős,Győr\n", "cp1250"),
    ("Клиент,Москва\nИванов\n", "cp1251"),  # noqa: RUF001
    ("Καλημέρα κόσμε", "cp1253"),
    ("Müşteri,Işık\nŞahin\nÖzgür\n", "cp1254"),  # noqa: RUF001
    ("שלום,עולם", "cp1255"),
    ("ลูกค้า", "tis-620"),
    ("顧客,金額\n東京,大阪\n田中さん\n", "shift_jis"),
    ("顧客,金額\n東京,大阪\n田中さん\n", "euc_jp"),
    ("客戶,金額\n台北,高雄\n張先生\n", "big5"),
    ("Müller,Köln\nBär\n", "mac_roman"),
    ("Muñoz,García,Núñez\n", "mac_roman"),
    ("Mueller,größe", "cp850"),
    ("李\n", "gb18030"),
    ("ÄÖ\n", "cp1252"),
]

ENCODINGS = "cp1250 cp1251 cp1254 cp1257 mac_roman cp437 cp850 big5 shift_jis euc_kr euc_jp".split()


@pytest.fixture
def decided(tmp_path):
    def decided_(content: bytes, declared: str | None = None):
        path = tmp_path / "x.csv"
        path.write_bytes(content)
        found = identify(path, declared)
        transcode(path, found.name, tmp_path / "copy")
        return found, (tmp_path / "copy").read_bytes().decode()

    return decided_


@pytest.mark.parametrize("text", WESTERN + CHINESE)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_sure(decided, text, encoding):
    found, read = decided(text.encode(encoding))
    assert read == text
    assert found.utf8 == encoding.startswith("utf-8")


@pytest.mark.parametrize("text", WESTERN)
def test_western_text_is_detected(decided, text):
    found, read = decided(text.encode("cp1252"))
    assert read == text
    latin_1 = all(ord(c) < 256 for c in text)
    assert found.note == f"read as {'Latin-1' if latin_1 else 'Windows-1252'}, detected"


@pytest.mark.parametrize("text", CHINESE)
def test_chinese_text_is_detected(decided, text):
    found, read = decided(text.encode("gb18030"))
    assert read == text
    assert found.note == "read as GB18030, detected"


@pytest.mark.parametrize(("text", "encoding"), OTHERS)
def test_every_other_encoding_is_refused_never_misread(decided, text, encoding):
    with pytest.raises(SourceError, match="its encoding cannot be told surely"):
        decided(text.encode(encoding))


@pytest.mark.parametrize(("text", "encoding"), OTHERS)
def test_a_named_encoding_is_taken(decided, text, encoding):
    assert decided(text.encode(encoding), encoding)[1] == text


def encodable():
    for text in WESTERN + CHINESE + [text for text, _ in OTHERS]:
        for encoding in ENCODINGS:
            try:
                yield text, text.encode(encoding)
            except UnicodeEncodeError:
                continue


@pytest.mark.parametrize(("text", "content"), list(encodable()))
def test_detection_is_right_or_refused_for_text_in_any_encoding(decided, text, content):
    try:
        _, read = decided(content)
    except SourceError:
        return
    assert read == text


def test_candidates_show_how_each_would_read(decided):
    with pytest.raises(SourceError) as caught:
        decided("Dvořák".encode("cp1250"))
    lines = str(caught.value).splitlines()
    assert lines[0] == (
        "x.csv is not UTF-8, and its encoding cannot be told surely; name the one that reads "
        "rightly under format.encoding:"
    )
    assert "    cp1252: Dvoøák" in lines
    assert "    cp1250: Dvořák" in lines


def test_a_wrong_name_tells_byte_and_line(decided):
    with pytest.raises(SourceError) as caught:
        decided(b"a,b\n1,\xff\n", "utf-8")
    assert str(caught.value) == (
        "x.csv is not utf-8, which format.encoding names: byte 6 (line 2) invalid start byte; the "
        "line holds b'a,b\\n1,\\xff\\n'; name the right encoding under format.encoding, or leave "
        "it out to have it detected"
    )


@pytest.mark.parametrize("name", ["nope", "rot13", "base64", "", "../x"])
def test_an_unknown_encoding_is_refused(decided, name):
    with pytest.raises(SourceError) as caught:
        decided(b"a\n", name)
    assert str(caught.value) == (
        f"there is no text encoding {name!r}; write one such as utf-8, cp1252, gb18030, shift_jis"
    )


def test_mixed_encodings_are_told_by_their_first_byte(decided):
    content = "1,Müller\n".encode() * 3 + b"2,Gr\xf6\xdfe\n"
    with pytest.raises(SourceError) as caught:
        decided(content)
    assert str(caught.value).startswith(
        "x.csv is UTF-8 except some bytes, first byte 34 (line 4): b'"
    )


def test_utf16_without_mark_is_recognised(decided):
    with pytest.raises(SourceError, match="name `encoding: utf-16-le` if it is"):
        decided("a,b\n1,2\n".encode("utf-16-le"))
    assert decided("a,b\n1,2\n".encode("utf-16-le"), "utf-16-le")[1] == "a,b\n1,2\n"


def test_characters_across_blocks_are_kept(decided, monkeypatch):
    monkeypatch.setattr(encodings, "_BLOCK", 15)
    for text, encoding in [(CHINESE[0], "gb18030"), (WESTERN[0], "utf-16"), (CHINESE[0], "utf-8")]:
        assert decided(text.encode(encoding))[1] == text


def test_a_late_bad_byte_is_placed_exactly(decided, monkeypatch):
    monkeypatch.setattr(encodings, "_BLOCK", 7)
    with pytest.raises(SourceError, match=r"byte 402 \(line 101\)"):
        decided(b"1,2\n" * 100 + b"1,\xff\n", "utf-8")
