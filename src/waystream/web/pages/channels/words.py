"""How channels are said on pages: how one fares, what to mend, and its form drawn from the gateway's caption."""

from collections.abc import Mapping

from waystream.core.care import Priority
from waystream.core.gateways import Gateway, Reach, Setting, Values
from waystream.parts.channels.model import NAME_MAX, Channel
from waystream.parts.channels.post import PRIVATE
from waystream.web.forms import FormField
from waystream.web.pages.workbench.words import CAUSES
from waystream.web.shell.language import N_, Language
from waystream.web.shell.vocabulary import Pill

REACH_WORDS = {
    Reach.EMAIL: N_("E-mail to buyers"),
    Reach.SMS: N_("Text messages to buyers"),
    Reach.SHOP: N_("The shop's own messages"),
    Reach.STAFF: N_("Staff"),
}
PRIORITY_WORDS = {
    Priority.HIGH: N_("High: to be done today"),
    Priority.NORMAL: N_("Normal"),
    Priority.LOW: N_("Low"),
}
_MAX_CHARS = {"templates": 2_000, "secret": 500, "url": 500}
_KINDS = {"secret": "password", "port": "number"}


def view_state(language: Language, channel: Channel) -> Pill:
    if channel.disabled_at is not None:
        return Pill("s-cancelled", language.say("Switched off"))
    if channel.fails:
        return Pill("s-exception", language.say("Fails"))
    if channel.worked_at is not None:
        return Pill("s-done", language.say("Works"))
    return Pill("s-later", language.say("Not tried yet"))


def say_mend(language: Language, channel: Channel, gateways: Mapping[str, Gateway]) -> str:
    """What to do about the last failure; empty while it works. A code nobody knows is told in the other's own words."""
    if not channel.fails:
        return ""
    if channel.failed_code == PRIVATE:
        return language.say(
            "Its address is one of a private network: the operator can allow it with webhook_private_hosts."
        )
    gateway = gateways.get(channel.gateway)
    known = gateway.mend_sentence(channel.failed_code, language.code) if gateway else ""
    return known or channel.failed_said


def say_gateway(language: Language, name: str, gateways: Mapping[str, Gateway]) -> str:
    return gateways[name].caption.title.say(language.code) if name in gateways else name


def draw_fields(language: Language, gateway: Gateway, channel: Channel | None, values: Values) -> tuple[FormField, ...]:
    """Name and pace, then what the gateway wants to know, then which tickets staff is told of."""
    caption, say = gateway.caption, language.say
    pace = str(channel.per_minute if channel else caption.per_minute)
    first = (
        FormField("name", say("Name"), value=channel.name if channel else "", max=NAME_MAX),
        FormField("rank", say("Order of preference"), "number", str(channel.rank if channel else 100),
                  hint=say("The lowest is used first.")),
        FormField("per_minute", say("Messages a minute at most"), "number", pace),
    )  # fmt: skip
    asked = tuple(_draw(language, setting, values, kept=channel is not None) for setting in caption.settings)
    return (*first, *asked, *(_tickets(language, channel) if caption.reach is Reach.STAFF else ()))


def _draw(language: Language, setting: Setting, values: Values, *, kept: bool) -> FormField:
    label, hint = setting.label.say(language.code), setting.hint.say(language.code)
    value = values.get(setting.name, "" if kept else setting.usual)
    if setting.options:
        options = tuple((option, option) for option in setting.options)
        return FormField(setting.name, label, "choice", value, options=options, hint=hint)
    stored = setting.secret and kept
    return FormField(
        setting.name,
        label,
        _KINDS.get(setting.form, "text"),
        value,
        hint=language.say("Empty: what is stored stays.") if stored else hint,
        required=setting.required and not stored,
        max=_MAX_CHARS.get(setting.form, 200),
    )


def _tickets(language: Language, channel: Channel | None) -> tuple[FormField, ...]:
    options = tuple((word.value, str(language.say(PRIORITY_WORDS[word]))) for word in Priority)
    ticked = channel.priorities if channel else (Priority.HIGH.value,)
    label = language.say("Which tickets it is told of")
    causes = tuple((word, str(language.say(told.title))) for word, told in CAUSES.items())
    chosen = channel.causes if channel else ()
    return (
        FormField("priorities", label, "ticks", options=options, ticked=ticked),
        FormField("causes", language.say("Cause"), "ticks", options=causes, ticked=chosen),
    )
