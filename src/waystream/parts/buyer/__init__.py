"""The buyer: what somebody with a signed link sees of their order, and what they tell us there.

Owns: buyer_link, buyer_gate, buyer_word. Says: BuyerConfirmed, BuyerMissedParcel, BuyerReportedDamage,
BuyerAskedNewAddress. Answers: the link of an order (`links`), everything a buyer may see of it (`reading`), and what
they said (`actions`). Nothing here opens a sealed receiver unless the phone's last four digits were right.
"""
