"""Channels: the ways a shop's messages leave by, to its buyers and to its own staff.

Owns: channel, staff_word. Says: LetterReported. Answers: which channels a shop has, how each fares in words that say
what to mend, and an opened one that sends a letter. Tells staff of tickets, one message a minute.

Guaranteed: settings are sealed whole and no secret is shown again; a channel is used no faster than its limit; every
call goes through the exchange. Which buyer is told what, and when, is the business of the notices.
"""
