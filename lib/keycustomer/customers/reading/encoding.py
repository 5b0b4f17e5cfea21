"""Which encoding a text file is in: sure, or refused with the candidates and how each would read.

`identify` names the encoding; `transcode` writes a UTF-8 copy. A byte-order mark settles it, then
strict UTF-8. What remains is decided between GB18030 and Windows-1252 (Latin-1 where both read
alike) only on evidence that excludes the other: hanzi in daily use on one side; on the other,
words whose accented letters go together in one Western language, every one of them. Czech, Polish,
Turkish, Cyrillic, Japanese, Korean and old Macintosh text would pass byte-wise as one of the two;
it is refused, to be named in the case file. Statistical detectors were tried and left: on tables of
names charset-normalizer 3.5 took French for Windows-1250 and Chinese headings for Korean.

Sources: GB 18030-2005; GB 2312-80 (rows 16-55 are its level-1 hanzi); Unicode mapping table of
Windows-1252.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from keycustomer.customers.errors import printable
from keycustomer.customers.reading.records import SourceError

_BLOCK = 1 << 20
_MOST_WORDS = 200_000
_CUT = bytes(range(0x40, 0x100))
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SHOWN_CANDIDATES = ("cp1252", "gb18030", "cp1250", "cp1251", "cp1254", "mac_roman", "shift_jis",
                     "big5", "euc_kr")  # fmt: skip
_OTHER_FORMATS = {
    b"PK\x03\x04": "it is a workbook or an archive; name a workbook as `excel:`, unpack an archive",
    b"\x1f\x8b": "it is compressed; unpack it",
    b"PAR1": "it is Parquet; name it as `parquet:`",
    b"SQLi": "it is an SQLite database; name it as `sql: sqlite:///file`",
    b"\xd0\xcf\x11\xe0": "it is an old .xls workbook; save it as .xlsx and name it as `excel:`",
}
_FEWEST_HANZI = 4
_COMMON_SHARE = 0.3
_LEVEL_1_SHARE = 0.8

_COMMON_HANZI = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
    "十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形"
    "相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展"
    "五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战"
    "先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权收证改清己美再采转更单风切打白"
    "客户名称姓编号订单期额价格数折扣退货款付姓联系址省市县街道邮箱销售类商店客服费用合计备注会员购买城"
    "王李张刘陈杨赵黄周吴徐孙胡朱林何郭罗梁宋郑谢韩唐冯于董萧曹邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田姜范石伟芳娜秀英"
    "敏静丽涛磊军洋勇艳杰娟涛超霞刚桂兰京沪广深圳杭州武汉成都重庆津苏宁波青岛厦福长沙郑安徽浙江河湖川云贵"
)

_LETTERS_OF = {
    "German": "äöüß",
    "French": "àâæçéèêëîïôœùûü",
    "Spanish": "áéíñóúü",
    "Portuguese": "áâãàçéêíóôõú",
    "Italian": "àèéìíîòóùú",
    "Danish and Norwegian": "æøåé",
    "Swedish and Finnish": "åäöé",
    "Dutch": "éèëïöüáó",
}
_SIGNS = frozenset(
    "€\u201a„…\u2018\u2019“”•\u2013\u2014™\xa0¡£¥§©«®°±²³\xb4·º»¼½¾¿ª\xd7\xad\u2039\u203a"
)
_LETTER = r"[^\W\d_ªº²³¼½¾]"
_MISSPELT = re.compile(
    rf"""[ìòù](?={_LETTER})            # Italian: at the end only; Czech: anywhere
    | õ(?!e) | ã(?=(?![oes]){_LETTER})  # Portuguese: ões, ão, ãe; Hungarian, Romanian: other
    | ñ(?![aeiouáéíóú])                 # Spanish: before vowels; Polish: before consonants, at end
    | è(?=[aeiouyáéíóúè]) | [aeiuyáéíóú]è$    # French: before consonants; Croatian, Czech: other
    | æ$                                # Danish: followed by letters; Croatian: at the end""",
    re.VERBOSE,
)
_SIGN_IN_WORD = re.compile(
    rf"""{_LETTER}[^\w\xad\xa0·\u2019]{_LETTER} | {_LETTER}[ªº²³¼½¾]{_LETTER}
    | {_LETTER}[§\u201a„]  # a section sign and low quotes; elsewhere ß, é and ä
    | {_LETTER}{{3}}\u2019(?!(?:s|t|d|m|ll|re|ve|hui)$){_LETTER}  # an apostrophe; elsewhere í""",
    re.VERBOSE | re.IGNORECASE,
)
_CAPITAL_INSIDE = re.compile(r"[a-zß-ÿ][À-ÖØ-ÞŠŒŽŸ]")

_HIGH_WORDS = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_HIGH_RUNS = re.compile(rb"[\x80-\xff]+")
_UTF8_PAIRS = re.compile(
    rb"(?:[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})+"
)


@dataclass(frozen=True)
class Encoding:
    """An encoding and how it was come by.

    Attributes
    ----------
    name : str
        Name of the Python codec.
    utf8 : bool
        Whether the file can be read as it stands, as UTF-8.
    note : str
        What was detected, for the report; empty where nothing was to be decided.
    """

    name: str
    utf8: bool
    note: str = ""


def identify(path: Path, declared: str | None = None) -> Encoding:
    """Name the encoding of a file.

    Parameters
    ----------
    path : Path
        The file.
    declared : str or None
        The encoding the case file names; it is checked, not believed.

    Raises
    ------
    SourceError
        When the declared encoding is unknown or does not decode, or none can be detected surely.
    """
    if declared is not None:
        return _declared(path, declared)
    with path.open("rb") as file:
        start = file.read(4)
    _refuse_other_formats(path, start)
    for mark, name in _MARKS:
        if start.startswith(mark):
            _verify(path, name, "as its byte-order mark says")
            note = "" if name == "utf-8-sig" else f"read as {name}, by its byte-order mark"
            return Encoding(name, name == "utf-8-sig", note)
    if _failure(path, "utf-8") is None:
        _refuse_nul(path, start)
        return Encoding("utf-8", True)
    return _detect(path)


def transcode(source: Path, encoding: str, target: Path, *, returns: bool = False) -> None:
    """Copy a text file as UTF-8 in blocks, line ends untouched.

    Parameters
    ----------
    source, target : Path
        The file and its copy.
    encoding : str
        The source's encoding, known to decode.
    returns : bool
        Whether lone carriage returns end the lines; they become line feeds.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    with target.open("wb") as copy:
        for block, last in _blocks(source):
            text = decoder.decode(block, last)
            copy.write((text.replace("\r", "\n") if returns else text).encode("utf-8"))


def _declared(path: Path, declared: str) -> Encoding:
    name = _codec(declared)
    if name is None:
        raise SourceError(
            f"there is no text encoding {printable(declared)!r}; write one such as utf-8, cp1252, "
            "gb18030, shift_jis"
        )
    _verify(path, name, "which format.encoding names")
    if name == "utf-8":
        name = "utf-8-sig"
    return Encoding(name, name in ("utf-8-sig", "ascii"))


def _codec(declared: str) -> str | None:
    """Name the codec, if it is one of text; Python has others, such as base64."""
    try:
        name = codecs.lookup(declared).name
        codecs.getincrementaldecoder(name)
        b"text".decode(name)
    except UnicodeError:
        return name
    except (LookupError, ValueError):
        return None
    return name


def _verify(path: Path, name: str, because: str) -> None:
    failure = _failure(path, name)
    if failure is None:
        return
    offset, reason = failure
    line, text = _line_at(path, offset)
    raise SourceError(
        f"{path.name} is not {name}, {because}: byte {offset:,} (line {line:,}) {reason}; "
        f"the line holds {text!r}; name the right encoding under format.encoding, or leave it out "
        "to have it detected"
    )


def _blocks(path: Path) -> Iterator[tuple[bytes, bool]]:
    with path.open("rb") as file:
        block = file.read(_BLOCK)
        while block:
            following = file.read(_BLOCK)
            yield block, not following
            block = following


def _failure(path: Path, name: str) -> tuple[int, str] | None:
    """Offset and reason of the first bytes that do not decode."""
    decoder = codecs.getincrementaldecoder(name)()
    position = 0
    for block, last in _blocks(path):
        kept = len(decoder.getstate()[0])
        try:
            decoder.decode(block, last)
        except UnicodeDecodeError as error:
            return position - kept + error.start, error.reason
        except UnicodeError as error:
            return position, str(error)
        position += len(block)
    return None


def _line_at(path: Path, offset: int) -> tuple[int, bytes]:
    """Line number of a byte and the bytes around it."""
    line, position = 1, 0
    for block, _ in _blocks(path):
        line += block.count(b"\n", 0, max(0, min(len(block), offset - position)))
        position += len(block)
        if position > offset:
            break
    with path.open("rb") as file:
        file.seek(max(0, offset - 20))
        return line, file.read(40)


def _refuse_other_formats(path: Path, start: bytes) -> None:
    for mark, said in _OTHER_FORMATS.items():
        if start.startswith(mark):
            raise SourceError(f"{path.name} is no text file: {said}")


def _refuse_nul(path: Path, start: bytes) -> None:
    for block, _ in _blocks(path):
        if (at := block.find(b"\x00")) >= 0:
            if b"\x00" in start:
                order = "utf-16-be" if start[:1] == b"\x00" else "utf-16-le"
                cure = f"it looks like UTF-16 without a mark; name `encoding: {order}` if it is"
            else:
                cure = "the file is damaged or not text; export it again"
            line = block.count(b"\n", 0, at) + 1
            raise SourceError(f"{path.name} holds a NUL byte, first in line {line}; {cure}")


def _detect(path: Path) -> Encoding:
    words = _foreign_words(path)
    if _mostly_utf8(words):
        raise SourceError(_mixed(path))
    hanzi = _reads_as_chinese(words) and _failure(path, "gb18030") is None
    western = _reads_as_western(words) and _failure(path, "cp1252") is None
    if hanzi and not western:
        return Encoding("gb18030", False, "read as GB18030, detected")
    if western and not hanzi:
        windows = any(0x80 <= byte < 0xA0 for word in words for byte in word)
        said = "Windows-1252" if windows else "Latin-1"
        return Encoding("cp1252", False, f"read as {said}, detected")
    raise SourceError(_ambiguous(path, words))


def _foreign_words(path: Path) -> set[bytes]:
    """Words of the file that are not plain ASCII, each once, up to a bound."""
    words: set[bytes] = set()
    with path.open("rb") as file:
        while (line := file.readline(_BLOCK)) and len(words) < _MOST_WORDS:
            if not line.isascii():
                words.update(_HIGH_WORDS.findall(_uncut(line) if len(line) == _BLOCK else line))
    return words


def _uncut(piece: bytes) -> bytes:
    """Strip what may be half a character from the ends of a part of a very long line."""
    return piece.strip(_CUT)


def _mostly_utf8(words: set[bytes]) -> bool:
    runs = [run for word in words for run in _HIGH_RUNS.findall(word)]
    good = sum(_UTF8_PAIRS.fullmatch(run) is not None for run in runs)
    return 0 < 2 * good >= len(runs)


def _mixed(path: Path) -> str:
    offset, _ = _failure(path, "utf-8") or (0, "")
    line, text = _line_at(path, offset)
    return (
        f"{path.name} is UTF-8 except some bytes, first byte {offset:,} (line {line:,}): {text!r}; "
        "it was put together from files of different encodings, or cut off: convert the parts to "
        "UTF-8 before joining them"
    )


def _reads_as_chinese(words: set[bytes]) -> bool:
    """Whether the words are Chinese: level-1 hanzi mostly, and many of them in daily use."""
    text = "".join(word.decode("gb18030", "replace") for word in words)
    foreign = [c for c in text if not c.isascii()]
    hanzi = [c for c in foreign if _is_level_1(c)]
    signs = [c for c in foreign if "\u3000" <= c <= "\u3020" or "\uff01" <= c <= "\uff5e"]
    if len(hanzi) < _FEWEST_HANZI:
        return False
    if len(hanzi) + len(signs) < _LEVEL_1_SHARE * len(foreign):
        return False
    return sum(c in _COMMON_HANZI for c in hanzi) >= _COMMON_SHARE * len(hanzi)


def _is_gb2312(run: bytes) -> bool:
    try:
        run.decode("gb2312")
    except UnicodeDecodeError:
        return False
    return True


def _is_level_1(character: str) -> bool:
    try:
        code = character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return len(code) == 2 and 0xB0 <= code[0] <= 0xD7


def _reads_as_western(words: set[bytes]) -> bool:
    """Whether every word with accents is spelt as a Western European language spells.

    Words whose foreign bytes all come in pairs might be hanzi (the surname 李 reads as Àî), so that
    one with a single foreign byte, or one that is no pair of GB 2312, has to be among them.
    """
    runs = [run for word in words for run in _HIGH_RUNS.findall(word)]
    if not any(len(run) % 2 or not _is_gb2312(run) for run in runs):
        return False
    return all(_is_western(word.decode("cp1252", "replace")) for word in words)


def _is_western(word: str) -> bool:
    foreign = {c for c in word if not c.isascii()}
    letters = {c for c in foreign if c.isalpha() and c not in "ªº"}
    if len(word) > 1 and not any(c.isalpha() for c in word):
        return False
    if foreign - letters - _SIGNS or _SIGN_IN_WORD.search(word) or _CAPITAL_INSIDE.search(word):
        return False
    lower = {c.lower() for c in letters}
    if lower and not any(lower <= set(known) for known in _LETTERS_OF.values()):
        return False
    return _MISSPELT.search(word.lower()) is None


def _ambiguous(path: Path, words: set[bytes]) -> str:
    odd = [word for word in words if not _is_western(word.decode("cp1252", "replace"))]
    shown = sorted(odd or words, key=lambda word: (-len(word), word))[:3]
    readings = []
    for name in _SHOWN_CANDIDATES:
        if _failure(path, name) is None:
            said = " ".join(printable(word.decode(name, "replace")) for word in shown)
            readings.append(f"{name}: {said}")
    return (
        f"{path.name} is not UTF-8, and its encoding cannot be told surely; name the one that "
        f"reads rightly under format.encoding:\n    " + "\n    ".join(readings)
    )
