-- Addresses to a list of digests, in PostgreSQL 13 or later, in a database in UTF-8 with ICU.
--
-- Once: run this file, with psql -f. It makes a schema of its own, and needs the extension pgcrypto
-- (in postgresql-contrib). Put the key, in hex on one line, in its table; COPY leaves it in no log:
--
--   \copy tandem.digest_key FROM 'digest.key'
--
-- Once more, before the first delivery: the check at the end.
--
-- And say where your addresses are, with your own table and column; canaries go with them:
--
--   CREATE VIEW tandem.full_list AS
--     SELECT unnest(tandem.digests(email, hex)) AS digest
--     FROM tandem.digest_key, (SELECT email FROM customers UNION ALL TABLE tandem.canaries) AS one;
--
-- Daily: \copy (TABLE tandem.full_list) TO 'full.csv' CSV HEADER

CREATE SCHEMA IF NOT EXISTS tandem;
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE TABLE IF NOT EXISTS tandem.digest_key (hex text NOT NULL);
CREATE OR REPLACE VIEW tandem.canaries (email) AS
  VALUES ('tandem-canary-1@canary.invalid'), ('tandem-canary-2@canary.invalid');

-- A label of a domain in IDNA ASCII: Punycode (RFC 3492) after xn--.
CREATE OR REPLACE FUNCTION tandem.label(word text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  letters constant text := 'abcdefghijklmnopqrstuvwxyz0123456789';
  points int[];
  point int;
  result text;
  basic int;
  done int;
  n int := 128;
  delta int := 0;
  bias int := 72;
  next_n int;
  q int;
  t int;
  k int;
BEGIN
  IF word ~ '^[\x01-\x7f]*$' THEN
    RETURN word;
  END IF;
  SELECT array_agg(ascii(one) ORDER BY place),
         coalesce(string_agg(one, '' ORDER BY place) FILTER (WHERE ascii(one) < 128), '')
    INTO points, result
    FROM regexp_split_to_table(word, '') WITH ORDINALITY AS split (one, place);
  basic := length(result);
  done := basic;
  IF basic > 0 THEN
    result := result || '-';
  END IF;
  WHILE done < cardinality(points) LOOP
    SELECT min(one) INTO next_n FROM unnest(points) AS one WHERE one >= n;
    delta := delta + (next_n - n) * (done + 1);
    n := next_n;
    FOREACH point IN ARRAY points LOOP
      IF point < n THEN
        delta := delta + 1;
      ELSIF point = n THEN
        q := delta;
        k := 36;
        LOOP
          t := least(greatest(k - bias, 1), 26);
          EXIT WHEN q < t;
          result := result || substr(letters, t + (q - t) % (36 - t) + 1, 1);
          q := (q - t) / (36 - t);
          k := k + 36;
        END LOOP;
        result := result || substr(letters, q + 1, 1);
        delta := CASE WHEN done = basic THEN delta / 700 ELSE delta / 2 END;
        done := done + 1;
        delta := delta + delta / done;
        k := 0;
        WHILE delta > 455 LOOP
          delta := delta / 35;
          k := k + 36;
        END LOOP;
        bias := k + 36 * delta / (delta + 38);
        delta := 0;
      END IF;
    END LOOP;
    delta := delta + 1;
    n := n + 1;
  END LOOP;
  RETURN 'xn--' || result;
END $$;

-- A domain in IDNA ASCII, without its closing dot.
CREATE OR REPLACE FUNCTION tandem.domain(typed text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  IF typed ~ '[^\x01-\x7f]' THEN
    typed := lower(normalize(typed, NFKC) COLLATE "und-x-icu");
    typed := array_to_string(ARRAY(
      SELECT tandem.label(word)
      FROM unnest(string_to_array(typed, '.')) WITH ORDINALITY AS words (word, place)
      ORDER BY place), '.');
  END IF;
  RETURN regexp_replace(typed, '\.$', '');
END $$;

-- The lines of one address in a list: one, or two where the canonical form differs; none of what is
-- no address.
CREATE OR REPLACE FUNCTION tandem.digests(address text, key_hex text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  -- What Unicode calls white space, not the blank alone.
  blanks constant text := E' \t\n\u000b\f\r\u001c\u001d\u001e\u001f\u0085\u00a0\u1680'
    '\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a'
    '\u2028\u2029\u202f\u205f\u3000';
  tag_domains constant text[] := ARRAY[
    'fastmail.com', 'gmail.com', 'hotmail.com', 'hotmail.fr', 'icloud.com', 'live.com', 'live.fr',
    'mac.com', 'me.com', 'msn.com', 'outlook.com', 'outlook.fr', 'pm.me', 'proton.me',
    'protonmail.com'];
  form text := lower(normalize(btrim(address, blanks), NFC) COLLATE "und-x-icu");
  local text := split_part(form, '@', 1);
  domain text := tandem.domain(split_part(form, '@', 2));
  provider text := CASE domain WHEN 'googlemail.com' THEN 'gmail.com' ELSE domain END;
  bare text := local;
  key bytea := decode(key_hex, 'hex');
  exact text;
  alias text;
BEGIN
  IF form !~ '^[^@]+@[^@]+$' THEN
    RETURN '{}';
  END IF;
  IF provider = ANY (tag_domains) THEN
    bare := split_part(local, '+', 1);
  END IF;
  IF provider = 'gmail.com' THEN
    bare := replace(bare, '.', '');
  END IF;
  exact := local || '@' || domain;
  alias := coalesce(nullif(bare, ''), local) || '@' || provider;
  RETURN encode(hmac(convert_to(exact, 'UTF8'), key, 'sha256'), 'hex')
    || CASE WHEN alias <> exact
       THEN ARRAY[encode(hmac(convert_to(alias, 'UTF8'), key, 'sha256'), 'hex')]
       ELSE '{}' END;
END $$;

-- The check: the published vectors, under their public key. What it shows is wrong; it shows none.
CREATE OR REPLACE VIEW tandem.wrong AS
  SELECT address FROM (VALUES
    ('jeanne.dupont@example.fr', ARRAY[
     '4cd87d4a4bf21fffa2a1bafe0d66334226c33c7046a7d647ddcf9b43010f826a']),
    (E' Jeanne.Dupont@Example.FR\u0009', ARRAY[
     '4cd87d4a4bf21fffa2a1bafe0d66334226c33c7046a7d647ddcf9b43010f826a']),
    ('jeanne.dupont+courses@gmail.com', ARRAY[
     '32d73925f4d8b4473014cc3eb67196600acd5950a6c89bc5353aa811b0fdf7f5',
     '38e61194f250082e2d8ea00d82480c02dbe8d366ee7405738eb8aac14d9aa01e']),
    ('JeanneDupont@googlemail.com', ARRAY[
     '38e61194f250082e2d8ea00d82480c02dbe8d366ee7405738eb8aac14d9aa01e',
     'cf5320e6dac6fbf5005fc4932d4f203e59028a0ac67a26f11f5f8a8694d9ac99']),
    ('j.e.a.n.n.e@gmail.com', ARRAY[
     '38774377bae11ac8ed6214353d60aa18285ec48e990db8f64d7f74517517593a',
     'f702f4a11815e15171c1df02fcc01363c1a0eec7c495eefb565d4dc1bde485ee']),
    ('o''brien@example.com', ARRAY[
     'd62802a21f92ebb37830f3d50704726e3d4e9000ff5ebeebfc7845d79bbb414b']),
    ('marie+parrain@outlook.fr', ARRAY[
     '0949cba87bc1af48bc0528de66d9b52a4605399d5a3f98d39f17ba36be152c1a',
     '2dca50a02c1255faa519260e42dd93183b325c2c7676dc4f9bb4cc83b9cc6286']),
    ('marie+parrain@example.fr', ARRAY[
     'd348afdc28e52d5c899738ecea8c649f4e7d21a1e589f79490948010d7f73e4e']),
    (E'paul@b\u00fccher.example', ARRAY[
     '46f580d93d6a51158670ce8c0350df8c2e07e0234cc027bf1bb463f11b2436d5']),
    ('Paul@xn--bcher-kva.example', ARRAY[
     '46f580d93d6a51158670ce8c0350df8c2e07e0234cc027bf1bb463f11b2436d5']),
    (E'zoe\u0308@example.fr', ARRAY[
     '15e1dc86b9d85e235c212e5ceb43bf985815b73eec19081e21694df7b5253e34']),
    (E'zo\u00eb@example.fr', ARRAY[
     '15e1dc86b9d85e235c212e5ceb43bf985815b73eec19081e21694df7b5253e34']),
    ('a@sub.domain.example', ARRAY[
     '031093e6be22c1ed9af8fbff7ad6df5a4abe2f9f367b9134ea7e6adb9537c35d']),
    ('first-last_99@orange.fr', ARRAY[
     '22d4573aadd883a5938c63581c3d00c7a329f9463814a4e3cef7a552de6f8c28']),
    ('user%tag@laposte.net', ARRAY[
     'fa0e5220bb46098078eb662c1eb0821cf3e6cf981bbb405e6f4bb4947295c7c5']),
    ('ana+1+2@icloud.com', ARRAY[
     '90d2398f52d8b4c802b72277a73e104686844a25ff3b9dfd4adb3d9b2566d8f5',
     'd25146ba4fcbd58e8b9b18d34397f379d1339624f725308f32f6726512d7ce94']),
    ('x@EXAMPLE.com.', ARRAY[
     '980df329b5fc2671534333af986a0cd7a8e37ab910a1d7d50c58cb90872bf2c6'])
  ) AS vectors (address, digests)
  WHERE digests IS DISTINCT FROM ARRAY(
    SELECT one FROM unnest(tandem.digests(address,
      '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f')) AS one
    ORDER BY one COLLATE "C");

SELECT * FROM tandem.wrong;
