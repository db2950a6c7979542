"""The files of PRODUCT.md as pure parsers and writers: bytes in, values out, no file is opened.

reading.py     chunks → content (gzip or not) → numbered lines → fields, and the `Tally` of problems
digests.py     customer and VIP lists                 manifest.py  their manifests
orders.py      order files, and the order call        acks.py      acknowledgements
own_codes.py   a client's own codes
receipt.py     the answer to every file               exports.py   voucher files, referrals

Two kinds of problem, never mixed: a `LineError` concerns one line, and parsing goes on; a
`FileRefusedError` refuses the whole file, even after good lines were yielded, so a caller acts
only once the parser has ended. Reasons are stable snake_case names and never contain file content.
"""
