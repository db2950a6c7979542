"""The commands of the retailer's own machines: what the wheel holds (infra/wheel.py).

They read files and call the bucket and the API as the client's systems do; nothing here knows the
table. Only `check` needs boto3, and imports it when it has something to ask of AWS.
"""
