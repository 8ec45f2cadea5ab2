"""GET /numbers/ranges: numbers assigned beforehand: how many each account has left, handed in, switched on, dropped."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from waystream.core.errors import Invalid, InvalidMany, Missing, TooLarge
from waystream.kernel.tx import Tx
from waystream.parts.fulfilment import ranges
from waystream.parts.fulfilment.store_ranges import Batch
from waystream.parts.hub import actions as hub
from waystream.parts.hub.model import AccountRow
from waystream.web.acting import act_on_setup, parse_ids
from waystream.web.auth import Seat, requires
from waystream.web.context import context_of
from waystream.web.forms import Filled, Form
from waystream.web.render import go, language_of, show
from waystream.web.shell.language import N_, Language, Moment
from waystream.web.shell.vocabulary import Pill, carrier_name

READ, WRITE = "setup:read", "setup:write"

router = APIRouter()


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An account with numbers, or one that draws: `turn` is what its button does."""

    id: int
    name: str
    carrier: str
    left: str
    mark: str
    state: Pill
    turn: str
    turn_told: str


@dataclass(frozen=True, slots=True)
class BatchLine:
    id: int
    account: str
    span: str
    size: str
    free: str
    droppable: bool
    added: Moment | None


@dataclass(frozen=True, slots=True)
class RangesPage:
    answer: Markup
    may_write: bool
    accounts: tuple[AccountLine, ...]
    batches: tuple[BatchLine, ...]
    options: tuple[tuple[str, str], ...]
    account: str
    typed: str
    problem: str


@router.get("/numbers/ranges")
def show_ranges(request: Request, seat: Annotated[Seat, requires(READ)]) -> Response:
    return _page(request, seat, Filled(), status=200)


@router.post("/numbers/ranges")
def add(request: Request, seat: Annotated[Seat, requires(WRITE)], form: Form) -> Response:
    """Hand numbers in; a wrong line comes back with its sentence and everything that was typed."""
    try:
        [account_id] = parse_ids([form.text("account")])
        added = act_on_setup(
            request, lambda tx: ranges.add_numbers(tx, account_id, form.text("numbers"), actor=seat.caller.actor)
        )
    except (Invalid, InvalidMany, TooLarge, Missing) as error:
        return _page(request, seat, form.refused(error), status=error.status)
    language = language_of(request)
    known = language.number(added.known)
    said = language.say_n(
        "%(n)s number was added; known already: %(known)s.", "%(n)s numbers were added; known already: %(known)s.",
        added.added, known=known,
    )  # fmt: skip
    return go("/numbers/ranges", said=said)


@router.post("/numbers/ranges/draw")
def turn(request: Request, seat: Annotated[Seat, requires(WRITE)], form: Form) -> Response:
    """Takes of an account draw from its numbers, or ask the network again."""
    [account_id] = parse_ids([form.text("account")])
    on = form.text("do") == "draw"
    act_on_setup(request, lambda tx: hub.draw_numbers(tx, account_id, on=on, actor=seat.caller.actor))
    language = language_of(request)
    said = N_("From now on its takes draw from these numbers.") if on else N_("From now on its takes ask the network.")
    return go("/numbers/ranges", said=language.say(said))


@router.post("/numbers/ranges/drop")
def drop(request: Request, seat: Annotated[Seat, requires(WRITE)], form: Form) -> Response:
    [batch_id] = parse_ids([form.text("batch")])
    dropped = act_on_setup(request, lambda tx: ranges.drop_batch(tx, batch_id, actor=seat.caller.actor))
    said = language_of(request).say_n("%(n)s unused number is gone.", "%(n)s unused numbers are gone.", dropped)
    return go("/numbers/ranges", said=said)


def _page(request: Request, seat: Seat, form: Filled, *, status: int) -> Response:
    with context_of(request).machine.begin(read_only=True) as tx:
        page = draw(tx, seat, language_of(request), form)
    return show(request, "numbers/ranges.html", page, status=status)


def draw(tx: Tx, seat: Seat, language: Language, form: Filled) -> RangesPage:
    accounts = [row for row in hub.list_accounts(tx) if not row.disabled]
    batches, may_write = ranges.list_batches(tx), seat.caller.may(WRITE)
    names = {row.id: row.name for row in accounts}
    used = {batch.account_id for batch in batches}
    return RangesPage(
        answer=_answer(language, [row for row in accounts if row.draws]),
        may_write=may_write,
        accounts=tuple(_account(language, row, batches) for row in accounts if row.draws or row.id in used),
        batches=tuple(_batch(language, batch, names, tx) for batch in batches),
        options=tuple((str(row.id), f"{row.name} ({carrier_name(language, row.carrier)})") for row in accounts),
        account=form.text("account"),
        typed=form.text("numbers"),
        problem=" ".join(
            f"{language.echo(path)}: {language.echo(sentence)}" if path.startswith("line ") else language.echo(sentence)
            for path, sentence in form.problems
        ),
    )


def _answer(language: Language, drawing: list[AccountRow]) -> Markup:
    low = [row for row in drawing if row.low]
    if not drawing:
        return language.say("No account draws from numbers assigned beforehand; every number is asked for.")
    if low:
        return language.say_n(
            "%(n)s account runs out of its assigned numbers: add more.",
            "%(n)s accounts run out of their assigned numbers: add more.",
            len(low),
        )
    return language.say_n(
        "%(n)s account draws from assigned numbers, and has enough.",
        "%(n)s accounts draw from assigned numbers, and have enough.",
        len(drawing),
    )


def _account(language: Language, row: AccountRow, batches: list[Batch]) -> AccountLine:
    left = row.available or 0 if row.draws else sum(batch.free for batch in batches if batch.account_id == row.id)
    state = Pill("s-later", language.say("asks the network"))
    if row.draws:
        state = Pill("s-done", language.say("draws"))
        state = Pill("s-hold", language.say("running low")) if row.low else state
        state = Pill("s-exception", language.say("used up")) if not left else state
    return AccountLine(
        id=row.id,
        name=row.name,
        carrier=carrier_name(language, row.carrier),
        left=language.number(left),
        mark=language.number(row.low_mark),
        state=state,
        turn="ask" if row.draws else "draw",
        turn_told=language.say("Ask the network again") if row.draws else language.say("Draw from these"),
    )


def _batch(language: Language, batch: Batch, names: dict[int, str], tx: Tx) -> BatchLine:
    return BatchLine(
        id=batch.id,
        account=names.get(batch.account_id, batch.carrier),
        span=batch.first if batch.first == batch.last else f"{batch.first} … {batch.last}",
        size=language.number(batch.size),
        free=language.number(batch.free),
        droppable=batch.free > 0,
        added=language.when(batch.added_at, tx.now),
    )
