"""Text from elsewhere in Markdown; tests/browser/test_traps.py looks at what a browser makes of it."""

import pytest

from pages.parts.common.markdown import escaped, plain


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("plain words, café", r"plain words\, café"),
        ("a_b *c* [d](e) `f` <g> $h$ \\", r"a\_b \*c\* \[d\]\(e\) \`f\` \<g\> \$h\$ \\"),
        ("two\n  lines", "two lines"),
        ("https://evil.example", "https\\:\u2060\\/\\/evil\\.example"),
        ("www.evil.example", "www\u2060\\.evil\\.example"),
        ("me@evil.example", "me\u2060\\@evil\\.example"),
        (":streamlit: code: x", "\\:\u2060streamlit\\: code\\: x"),
        ("a -> b", "a \\-\u2060\\> b"),
    ],
)
def test_nothing_is_markup_a_link_or_a_picture(text: str, markdown: str) -> None:
    assert escaped(text) == markdown


def test_text_of_a_provider_is_reduced_to_letters_digits_and_a_few_signs() -> None:
    assert plain("invalid_grant <b>:red[x] https://evil.example") == r"invalid\_grant bredx httpsevilexample"
    assert len(plain("x" * 1000)) == 60
