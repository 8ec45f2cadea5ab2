"""The hub: our accounts at aggregators and carriers, how many numbers they have left, and who watches which number.

Owns: aggregator, carrier_account, subscription, carrier_heard. Secrets are sealed under the root key (`core.account`)
and are never shown again. Answers: setup pages, the push door, calls to the network, which carrier is quiet. Says:
SubscriptionDied, when asking to watch a number was given up; deaths told by a push are said by tracking.
"""
