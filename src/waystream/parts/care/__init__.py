"""Care: what a person has to look after, one open ticket for one thing and cause, and its log.

Owns: ticket, ticket_entry, care_hours. Says: TicketOpened, TicketRaised, TicketReopened, TicketTaken, TicketReleased,
TicketClosed. Answers: the queue, a ticket with its log, earlier tickets of a parcel or an order, a shop's hours.

Guaranteed: rules may tell of the same trouble twice or late, in any order: what is over opens nothing, what a person
closed stays closed until it happens again. Two people never hold the same ticket.
"""
