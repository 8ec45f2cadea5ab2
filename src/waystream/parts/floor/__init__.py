"""The warehouse floor: printers, their queues, and how a label becomes paper.

Owns `printer` and `print`. Says LabelPrinted and PrintFailed. Answers which labels wait where, and draws any label
(`paper`): the carrier's own, or ours where that cannot be trusted.
Prints of one printer leave in their order, one at a time; a printer that is off keeps its queue and says so.
"""
