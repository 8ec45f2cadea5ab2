"""What to mend after a refusal, as a sentence: ours where we refused, else the network's that did."""

from collections.abc import Mapping

from waystream.core.ports import Network
from waystream.parts.fulfilment.model import mend_sentence
from waystream.web.shell.language import Language


def say_mend(language: Language, mend: str, networks: Mapping[str, Network]) -> str:
    """The sentence behind `parcel.mend`; a key nobody knows any more is told as a refusal without one."""
    ours = mend_sentence(mend, language.code)
    if ours is not None:
        return ours
    for network in networks.values():
        try:
            return network.mend_sentence(mend, language.code)
        except KeyError:
            continue
    return language.say("The carrier refuses this parcel.")
