"""After the table was restored to an earlier moment: bringing back what happened since.

    files of the journal, bundles ──► facts the table lost ──┐
    exports, files of changes     ──► codes, rows           ─┼─► adopt: a fact and what it did,
    order files in in/            ──► dates of orders       ─┘   in one transaction

`outside.py` reads what is kept outside the table, `adopt.py` brings it back; what a fact did is in
`people.py`, `vouchers.py`, `rewards.py`, `orders.py` and `mails.py`, the numbered files in
`numbered.py`.
"""
