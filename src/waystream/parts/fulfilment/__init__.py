"""Fulfilment: from "ship" to "left the warehouse". One live number per parcel, whatever crashes.

Owns: parcel, parcel_order, parcel_line, take, binding, label, waybill_cancel.
Says: WaybillIssued, WaybillRefused, TakeInDoubt, TakeConflicted, CancelAsked, WaybillCancelled, CancelRefused,
LabelVoided, ParcelDispatched, ParcelVoided. Answers: ship, dispatch, void, hold, release, reissue, bind (`actions`),
lists (`lists`). A carrier's label is read with `open_sealed(key, label.sealed, aad=numbers.label_aad(label.id))`.
"""
