"""What a holder puts into Apple Wallet or Google Wallet: a voucher as a pass, made and signed.

`texts.py` has its words in each language, `apple.py` and `google.py` what each wallet is given of
them, `signing.py` signs it. All but the last is pure and runs in the API; the last needs the keys
and a library that the function `wallet` alone has.
"""
