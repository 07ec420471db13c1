"""Which script a language is written in: text in another one is not that language, whatever the engine says."""

from __future__ import annotations

import unicodedata

# First word of a letter's Unicode name. Latin is common everywhere: names, brands, borrowed words.
_SCRIPTS = {
    "CYRILLIC": "ru uk bg be mk sr ba tt tg kk mn uz az tk",
    "GREEK": "el",
    "HEBREW": "he yi",
    "ARABIC": "ar fa ur ps sd pa",
    "DEVANAGARI": "hi mr ne sa sd",
    "BENGALI": "bn as",
    "GURMUKHI": "pa",
    "GUJARATI": "gu",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "SINHALA": "si",
    "THAI": "th",
    "LAO": "lo",
    "KHMER": "km",
    "MYANMAR": "my",
    "TIBETAN": "bo",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
    "ETHIOPIC": "am",
    "MONGOLIAN": "mn",
    "CJK": "zh yue ja ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
}
_OF_LANGUAGE: dict[str, set[str]] = {}
for _script, _languages in _SCRIPTS.items():
    for _language in _languages.split():
        _OF_LANGUAGE.setdefault(_language, set()).add(_script)

MIN_LETTERS = 4


def is_foreign(text: str, language: str) -> bool:
    """Whether most letters of the text belong to a script that the language (a code) is not written in."""
    own = _OF_LANGUAGE.get(language, set()) | {"LATIN", "MODIFIER", "FULLWIDTH", "FEMININE", "MASCULINE"}
    letters = [character for character in text if character.isalpha()]
    foreign = sum(unicodedata.name(letter, "").partition(" ")[0] not in own for letter in letters)
    return len(letters) >= MIN_LETTERS and foreign * 2 > len(letters)
