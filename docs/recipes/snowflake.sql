-- Addresses to a list of digests, in Snowflake: the function is the Python of the client guide.
--
-- Once: run this file; the query at its end is the check, and what it shows is wrong. Then put the
-- key, in hex on one line, in its table, from a file: no history of queries shows it.
--
--   PUT file://digest.key @~/tandem;
--   COPY INTO tandem.digest_key FROM @~/tandem FILE_FORMAT = (TYPE = CSV);
--   REMOVE @~/tandem;
--
-- Daily, your own table and column in the place of customers and email; canaries go with them:
--
--   COPY INTO @your_stage/full.csv.gz FROM (
--     SELECT value::STRING AS digest
--     FROM tandem.digest_key,
--       (SELECT email FROM customers UNION ALL SELECT email FROM tandem.canaries),
--       LATERAL FLATTEN(INPUT => tandem.digests(email, hex))
--   ) FILE_FORMAT = (TYPE = CSV COMPRESSION = GZIP) SINGLE = TRUE MAX_FILE_SIZE = 5000000000;

CREATE SCHEMA IF NOT EXISTS tandem;
CREATE TABLE IF NOT EXISTS tandem.digest_key (hex STRING NOT NULL);
CREATE OR REPLACE VIEW tandem.canaries (email) AS
  SELECT column1
  FROM VALUES ('tandem-canary-1@canary.invalid'), ('tandem-canary-2@canary.invalid');

-- The lines of one address in a list: one, or two where the canonical form differs; none of what is
-- no address.
CREATE OR REPLACE FUNCTION tandem.digests(address STRING, key_hex STRING) RETURNS ARRAY
LANGUAGE PYTHON RUNTIME_VERSION = '3.11' HANDLER = 'lines' IMMUTABLE AS
$$
TAG_DOMAINS = {
    "fastmail.com", "gmail.com", "hotmail.com", "hotmail.fr", "icloud.com", "live.com", "live.fr",
    "mac.com", "me.com", "msn.com", "outlook.com", "outlook.fr", "pm.me", "proton.me",
    "protonmail.com",
}

import hmac, unicodedata
def digests(address, key):
    local, _, domain = unicodedata.normalize("NFC", address.strip()).lower().partition("@")
    words = unicodedata.normalize("NFKC", domain).lower().removesuffix(".").split(".")
    domain = ".".join(w if w.isascii() else "xn--" + w.encode("punycode").decode() for w in words)
    provider = "gmail.com" if domain == "googlemail.com" else domain
    bare = local.partition("+")[0] if provider in TAG_DOMAINS else local
    bare = bare.replace(".", "") if provider == "gmail.com" else bare
    forms = [f"{local}@{domain}", f"{bare or local}@{provider}"] if local and domain else []
    return [hmac.digest(key, form.encode(), "sha256").hex() for form in dict.fromkeys(forms)]

def lines(address, key_hex):
    return sorted(digests(address or "", bytes.fromhex(key_hex)))
$$;

-- The check: the published vectors, under their public key.
SELECT column1 AS address
FROM VALUES
  ('jeanne.dupont@example.fr',
   '4cd87d4a4bf21fffa2a1bafe0d66334226c33c7046a7d647ddcf9b43010f826a',
   ''),
  (' Jeanne.Dupont@Example.FR\u0009',
   '4cd87d4a4bf21fffa2a1bafe0d66334226c33c7046a7d647ddcf9b43010f826a',
   ''),
  ('jeanne.dupont+courses@gmail.com',
   '32d73925f4d8b4473014cc3eb67196600acd5950a6c89bc5353aa811b0fdf7f5',
   ',38e61194f250082e2d8ea00d82480c02dbe8d366ee7405738eb8aac14d9aa01e'),
  ('JeanneDupont@googlemail.com',
   '38e61194f250082e2d8ea00d82480c02dbe8d366ee7405738eb8aac14d9aa01e',
   ',cf5320e6dac6fbf5005fc4932d4f203e59028a0ac67a26f11f5f8a8694d9ac99'),
  ('j.e.a.n.n.e@gmail.com',
   '38774377bae11ac8ed6214353d60aa18285ec48e990db8f64d7f74517517593a',
   ',f702f4a11815e15171c1df02fcc01363c1a0eec7c495eefb565d4dc1bde485ee'),
  ('o\'brien@example.com',
   'd62802a21f92ebb37830f3d50704726e3d4e9000ff5ebeebfc7845d79bbb414b',
   ''),
  ('marie+parrain@outlook.fr',
   '0949cba87bc1af48bc0528de66d9b52a4605399d5a3f98d39f17ba36be152c1a',
   ',2dca50a02c1255faa519260e42dd93183b325c2c7676dc4f9bb4cc83b9cc6286'),
  ('marie+parrain@example.fr',
   'd348afdc28e52d5c899738ecea8c649f4e7d21a1e589f79490948010d7f73e4e',
   ''),
  ('paul@b\u00fccher.example',
   '46f580d93d6a51158670ce8c0350df8c2e07e0234cc027bf1bb463f11b2436d5',
   ''),
  ('Paul@xn--bcher-kva.example',
   '46f580d93d6a51158670ce8c0350df8c2e07e0234cc027bf1bb463f11b2436d5',
   ''),
  ('zoe\u0308@example.fr',
   '15e1dc86b9d85e235c212e5ceb43bf985815b73eec19081e21694df7b5253e34',
   ''),
  ('zo\u00eb@example.fr',
   '15e1dc86b9d85e235c212e5ceb43bf985815b73eec19081e21694df7b5253e34',
   ''),
  ('a@sub.domain.example',
   '031093e6be22c1ed9af8fbff7ad6df5a4abe2f9f367b9134ea7e6adb9537c35d',
   ''),
  ('first-last_99@orange.fr',
   '22d4573aadd883a5938c63581c3d00c7a329f9463814a4e3cef7a552de6f8c28',
   ''),
  ('user%tag@laposte.net',
   'fa0e5220bb46098078eb662c1eb0821cf3e6cf981bbb405e6f4bb4947295c7c5',
   ''),
  ('ana+1+2@icloud.com',
   '90d2398f52d8b4c802b72277a73e104686844a25ff3b9dfd4adb3d9b2566d8f5',
   ',d25146ba4fcbd58e8b9b18d34397f379d1339624f725308f32f6726512d7ce94'),
  ('x@EXAMPLE.com.',
   '980df329b5fc2671534333af986a0cd7a8e37ab910a1d7d50c58cb90872bf2c6',
   '')
WHERE ARRAY_TO_STRING(tandem.digests(column1,
  '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'), ',')
  IS DISTINCT FROM column2 || column3;
