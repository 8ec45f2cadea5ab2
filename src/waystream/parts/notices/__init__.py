"""Notices: what a buyer is told about his order, once, in his language, at a decent hour, in a way that reaches him.

Owns: notice, notice_round, notice_thing, notice_policy, notice_template, notice_optout. Says: NoticeSent,
NoticeRefused, NoticeDelivered, NoticeDropped, IncidentTold. Answers: what was said to whom, why something was not, and
the words a shop says it in.

Guaranteed: a thing (a parcel, a kind, an attempt) is said once; what is said was true when it was composed, a moment
before it left; nothing is said by itself of a delivered parcel but that it is. Names, numbers and texts are sealed
under the receiver's own key. What connects events with kinds of notices is `rules`; ways to buyers are `integrations`.
"""
