"""Deadlines: what the calendar and the map say and no carrier does.

Owns: deadline, deadline_setting. Says: ShipByMissed, PromiseMissed, CollectionMissed, PickupOverdue, DeliveryDoubted,
InterceptionFailed, OrderCaughtUp, ParcelCaughtUp. Answers: follow what stands now, fire what is due, list, settings.
"""
