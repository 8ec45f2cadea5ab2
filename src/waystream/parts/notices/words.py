"""A shop's own words: saved as versions, taken back, tried over a real order. Waystream's own stand in `kinds`.

Before they write, callers check `Caller.may`: `notices:write`. Guaranteed: what is saved can be said: unknown facts and
holes are refused with the sentence that mends them, so that no buyer ever gets half a sentence.
"""

from dataclasses import dataclass

from waystream.core.errors import Conflict, Invalid, Missing
from waystream.kernel.audit import Entry
from waystream.kernel.tx import Tx
from waystream.parts.notices import store_words, wording
from waystream.parts.notices.facts import MAYBE, list_names
from waystream.parts.notices.kinds import LANGUAGES, NoticeKind, Words, load_kinds
from waystream.parts.notices.store_words import Version

SUBJECT_MAX = 120
TEXT_MAX = 2_000
VERSIONS_SHOWN = 50


def get_kind(name: str) -> NoticeKind:
    found = load_kinds().get(name)
    if found is None:
        raise Missing("There is no such kind of notice.")
    return found


@dataclass(frozen=True, slots=True)
class Checked:
    """Words that can be said."""

    subject: wording.Template
    text: wording.Template


def check(words: Words) -> Checked:
    """Raises `Invalid` with the sentence that mends it, `path` naming subject or text."""
    if not 1 <= len(words.subject) <= SUBJECT_MAX or "\n" in words.subject:
        raise Invalid("subject", f"one line of at most {SUBJECT_MAX} characters")
    if not words.text.strip() or len(words.text) > TEXT_MAX:
        raise Invalid("text", f"between 1 and {TEXT_MAX} characters")
    checked = []
    for path in ("subject", "text"):
        template = wording.parse(getattr(words, path), list_names(), path=path)
        wording.require_sections(template, MAYBE, path=path)
        checked.append(template)
    return Checked(*checked)


def own_words(kind: str, language: str) -> Words:
    """Waystream's."""
    words = get_kind(kind).words[_language(language)]
    return Words(words.subject.strip(), words.text.strip())


def _language(language: str) -> str:
    if language not in LANGUAGES:
        raise Invalid("language", "zh or en")
    return language


def words_of(tx: Tx, shop_id: int, *, kind: str, language: str) -> Words:
    """What the shop says it in now."""
    own = own_words(kind, language)
    newest = store_words.find_newest(tx.conn, shop_id, kind=kind, language=language)
    return own if newest is None or newest.is_default else Words(newest.subject, newest.text)


def list_versions(tx: Tx, shop_id: int, *, kind: str, language: str) -> list[Version]:
    """The newest first; none where it was never changed."""
    get_kind(kind)
    return store_words.list_versions(tx.conn, shop_id, kind=kind, language=_language(language), limit=VERSIONS_SHOWN)


def save(tx: Tx, shop_id: int, words: Words, *, kind: str, language: str, actor: str) -> Version:
    """A new version that counts from now on; the same words again are none. Raises `Invalid`."""
    words = Words(" ".join(words.subject.split()), words.text.replace("\r\n", "\n").strip())
    check(words)
    if words == words_of(tx, shop_id, kind=kind, language=language):
        raise Conflict("These are the words it is said in already.")
    own = words == own_words(kind, language)
    return _add(tx, shop_id, words, own=own, kind=kind, language=language, actor=actor, action="save_words")


def undo(tx: Tx, shop_id: int, *, kind: str, language: str, actor: str) -> Version:
    """Back to the words before, as a new version: what was said by which is never lost. Raises `Conflict`."""
    versions = list_versions(tx, shop_id, kind=kind, language=language)
    if not versions:
        raise Conflict("These are Waystream's own words: there is nothing to take back.")
    before = versions[1] if len(versions) > 1 else None
    own = before is None or before.is_default
    words = own_words(kind, language) if before is None or own else Words(before.subject, before.text)
    return _add(tx, shop_id, words, own=own, kind=kind, language=language, actor=actor, action="undo_words")


def restore(tx: Tx, shop_id: int, version: int, *, kind: str, language: str, actor: str) -> Version:
    """An old version anew; 0 is Waystream's own words, whatever they become."""
    words, own = own_words(kind, language), True
    if version:
        versions = list_versions(tx, shop_id, kind=kind, language=language)
        found = next((each for each in versions if each.version == version), None)
        if found is None:
            raise Missing("There is no such version.")
        words, own = (words, True) if found.is_default else (Words(found.subject, found.text), False)
    return _add(tx, shop_id, words, own=own, kind=kind, language=language, actor=actor, action="restore_words")


def _add(
    tx: Tx, shop_id: int, words: Words, *, own: bool, kind: str, language: str, actor: str, action: str
) -> Version:
    newest = store_words.find_newest(tx.conn, shop_id, kind=kind, language=language)
    number = newest.version + 1 if newest else 1
    version = Version(kind, language, number, words.subject, words.text, own, tx.now, actor)
    if not store_words.add_version(tx.conn, shop_id, version):
        raise Conflict("Somebody saved these words a moment ago: look at them first.")
    tx.note(
        Entry(
            actor, action, f"notice:{kind}", shop_id, detail={"language": language, "version": number, "own": int(own)}
        )
    )
    return version
