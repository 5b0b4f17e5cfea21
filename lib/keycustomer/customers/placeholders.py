"""Written values that say nothing: what people type where a value is not known."""

PLACEHOLDERS = (
    *("unknown", "n/a", "na", "n.a.", "none", "null", "nan", "nil", "not known", "not available"),
    *("missing", "tbd", "-", "--", "?", ".", "x", "xx", "xxx", "未知", "无", "不详", "暂无"),
)
"""In lower case; compared after blanks at both ends are cut."""
