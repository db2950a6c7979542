-- Addresses to a list of digests, in BigQuery.
--
-- Once: run this file; the query at its end is the check, and what it shows is wrong. Then put the
-- key, in hex on one line, in its table, from a file: no history of queries shows it.
--
--   bq load --source_format=CSV tandem.digest_key digest.key
--
-- Daily, your own table and column in the place of customers and email; canaries go with them. The
-- files it makes, one after another, are the list: cat full-*.csv.gz > full.csv.gz
--
--   EXPORT DATA OPTIONS (
--     uri = 'gs://BUCKET/full-*.csv.gz', format = 'CSV', compression = 'GZIP', header = FALSE
--   ) AS
--   SELECT digest
--   FROM tandem.digest_key,
--     (SELECT email FROM customers UNION ALL SELECT email FROM tandem.canaries),
--     UNNEST(tandem.digests(email, hex)) AS digest;

CREATE SCHEMA IF NOT EXISTS tandem;
CREATE TABLE IF NOT EXISTS tandem.digest_key (hex STRING NOT NULL);
CREATE OR REPLACE VIEW tandem.canaries AS
  SELECT email
  FROM UNNEST(['tandem-canary-1@canary.invalid', 'tandem-canary-2@canary.invalid']) AS email;

-- A domain in IDNA ASCII: Punycode (RFC 3492) after xn-- for each label that needs it.
CREATE OR REPLACE FUNCTION tandem.ascii_domain(typed STRING) RETURNS STRING
DETERMINISTIC LANGUAGE js AS r"""
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  function punycode(word) {
    const points = Array.from(word, (one) => one.codePointAt(0));
    let result = Array.from(word).filter((one) => one.codePointAt(0) < 128).join("");
    const basic = result.length;
    if (basic > 0) result += "-";
    let done = basic, n = 128, delta = 0, bias = 72;
    while (done < points.length) {
      const next = Math.min(...points.filter((point) => point >= n));
      delta += (next - n) * (done + 1);
      n = next;
      for (const point of points) {
        if (point < n) delta += 1;
        if (point !== n) continue;
        let q = delta;
        for (let k = 36; ; k += 36) {
          const t = Math.min(Math.max(k - bias, 1), 26);
          if (q < t) break;
          result += letters[t + (q - t) % (36 - t)];
          q = Math.floor((q - t) / (36 - t));
        }
        result += letters[q];
        delta = Math.floor(delta / (done === basic ? 700 : 2));
        done += 1;
        delta += Math.floor(delta / done);
        let k = 0;
        for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
        bias = k + Math.floor(36 * delta / (delta + 38));
        delta = 0;
      }
      delta += 1;
      n += 1;
    }
    return "xn--" + result;
  }
  if (typed === null) return null;
  return typed.normalize("NFKC").toLowerCase().split(".")
    .map((word) => /^[\x00-\x7f]*$/.test(word) ? word : punycode(word)).join(".");
""";

-- BigQuery has no function for HMAC: this is RFC 2104, for a key of at most 64 bytes.
CREATE OR REPLACE FUNCTION tandem.hmac_sha256(key BYTES, message BYTES) RETURNS BYTES AS (
  SHA256(CONCAT(
    RPAD(key, 64, b'\x00') ^ REPEAT(b'\x5c', 64),
    SHA256(CONCAT(RPAD(key, 64, b'\x00') ^ REPEAT(b'\x36', 64), message))
  ))
);

-- The normalised form of an address that is trimmed, NFC and in lower case; NULL of what is none.
CREATE OR REPLACE FUNCTION tandem.normalised(folded STRING) RETURNS STRING AS (
  IF(
    REGEXP_CONTAINS(folded, r'^[^@]+@[^@]+$'),
    REGEXP_REPLACE(
      IF(
        REGEXP_CONTAINS(folded, r'@[\x00-\x7f]+$'),
        folded,
        CONCAT(
          REGEXP_EXTRACT(folded, r'^[^@]+@'),
          tandem.ascii_domain(REGEXP_EXTRACT(folded, r'[^@]+$'))
        )
      ),
      r'\.$', ''
    ),
    NULL
  )
);

-- The canonical form of a normalised one, in three steps. A local part that is all tag keeps it.
CREATE OR REPLACE FUNCTION tandem.without_alias(form STRING) RETURNS STRING AS (
  REGEXP_REPLACE(form, r'@googlemail\.com$', '@gmail.com')
);
CREATE OR REPLACE FUNCTION tandem.without_tag(form STRING) RETURNS STRING AS (
  IF(
    REGEXP_EXTRACT(form, r'[^@]+$') IN (
      'fastmail.com', 'gmail.com', 'hotmail.com', 'hotmail.fr', 'icloud.com', 'live.com',
      'live.fr', 'mac.com', 'me.com', 'msn.com', 'outlook.com', 'outlook.fr', 'pm.me', 'proton.me',
      'protonmail.com'
    ),
    REGEXP_REPLACE(form, r'^([^+@]+)\+[^@]*@', r'\1@'),
    form
  )
);
CREATE OR REPLACE FUNCTION tandem.without_dots(form STRING) RETURNS STRING AS (
  IF(
    REGEXP_CONTAINS(form, r'^[^+].*@gmail\.com$'),
    CONCAT(REPLACE(REGEXP_EXTRACT(form, r'^[^@]+'), '.', ''), '@gmail.com'),
    form
  )
);
CREATE OR REPLACE FUNCTION tandem.forms(folded STRING) RETURNS ARRAY<STRING> AS ([
  tandem.normalised(folded),
  tandem.without_dots(tandem.without_tag(tandem.without_alias(tandem.normalised(folded))))
]);

-- The lines of one address in a list: one, or two where the canonical form differs; none of what is
-- no address.
CREATE OR REPLACE FUNCTION tandem.digests(address STRING, key_hex STRING) RETURNS ARRAY<STRING> AS (
  ARRAY(
    SELECT DISTINCT TO_HEX(tandem.hmac_sha256(FROM_HEX(key_hex), CAST(form AS BYTES))) AS digest
    FROM UNNEST(tandem.forms(LOWER(NORMALIZE(TRIM(address), NFC)))) AS form
    WHERE form IS NOT NULL
    ORDER BY digest
  )
);

-- The check: the published vectors, under their public key.
SELECT address
FROM UNNEST(ARRAY<STRUCT<address STRING, digests STRING>>[
  ('jeanne.dupont@example.fr',
    '4cd87d4a4bf21fffa2a1bafe0d66334226c33c7046a7d647ddcf9b43010f826a'),
  (' Jeanne.Dupont@Example.FR\u0009',
    '4cd87d4a4bf21fffa2a1bafe0d66334226c33c7046a7d647ddcf9b43010f826a'),
  ('jeanne.dupont+courses@gmail.com', CONCAT(
    '32d73925f4d8b4473014cc3eb67196600acd5950a6c89bc5353aa811b0fdf7f5',
    ',38e61194f250082e2d8ea00d82480c02dbe8d366ee7405738eb8aac14d9aa01e')),
  ('JeanneDupont@googlemail.com', CONCAT(
    '38e61194f250082e2d8ea00d82480c02dbe8d366ee7405738eb8aac14d9aa01e',
    ',cf5320e6dac6fbf5005fc4932d4f203e59028a0ac67a26f11f5f8a8694d9ac99')),
  ('j.e.a.n.n.e@gmail.com', CONCAT(
    '38774377bae11ac8ed6214353d60aa18285ec48e990db8f64d7f74517517593a',
    ',f702f4a11815e15171c1df02fcc01363c1a0eec7c495eefb565d4dc1bde485ee')),
  ('o\'brien@example.com',
    'd62802a21f92ebb37830f3d50704726e3d4e9000ff5ebeebfc7845d79bbb414b'),
  ('marie+parrain@outlook.fr', CONCAT(
    '0949cba87bc1af48bc0528de66d9b52a4605399d5a3f98d39f17ba36be152c1a',
    ',2dca50a02c1255faa519260e42dd93183b325c2c7676dc4f9bb4cc83b9cc6286')),
  ('marie+parrain@example.fr',
    'd348afdc28e52d5c899738ecea8c649f4e7d21a1e589f79490948010d7f73e4e'),
  ('paul@b\u00fccher.example',
    '46f580d93d6a51158670ce8c0350df8c2e07e0234cc027bf1bb463f11b2436d5'),
  ('Paul@xn--bcher-kva.example',
    '46f580d93d6a51158670ce8c0350df8c2e07e0234cc027bf1bb463f11b2436d5'),
  ('zoe\u0308@example.fr',
    '15e1dc86b9d85e235c212e5ceb43bf985815b73eec19081e21694df7b5253e34'),
  ('zo\u00eb@example.fr',
    '15e1dc86b9d85e235c212e5ceb43bf985815b73eec19081e21694df7b5253e34'),
  ('a@sub.domain.example',
    '031093e6be22c1ed9af8fbff7ad6df5a4abe2f9f367b9134ea7e6adb9537c35d'),
  ('first-last_99@orange.fr',
    '22d4573aadd883a5938c63581c3d00c7a329f9463814a4e3cef7a552de6f8c28'),
  ('user%tag@laposte.net',
    'fa0e5220bb46098078eb662c1eb0821cf3e6cf981bbb405e6f4bb4947295c7c5'),
  ('ana+1+2@icloud.com', CONCAT(
    '90d2398f52d8b4c802b72277a73e104686844a25ff3b9dfd4adb3d9b2566d8f5',
    ',d25146ba4fcbd58e8b9b18d34397f379d1339624f725308f32f6726512d7ce94')),
  ('x@EXAMPLE.com.',
    '980df329b5fc2671534333af986a0cd7a8e37ab910a1d7d50c58cb90872bf2c6')
])
WHERE ARRAY_TO_STRING(tandem.digests(
  address, '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'
), ',') IS DISTINCT FROM digests;
