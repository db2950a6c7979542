-- Addresses to a list of digests, in Oracle 12.2 or later, in a database in AL32UTF8.
--
-- Once, with SQL*Plus or SQLcl: have EXECUTE on SYS.DBMS_CRYPTO granted to you, then run this file;
-- the query at its end is the check, and what it shows is wrong. Then put the key, in hex on one
-- line, in its table with SQL*Loader, from a file: no log shows it. The control file is
--
--   LOAD DATA INFILE 'digest.key' INTO TABLE tandem_digest_key (hex CHAR(128))
--
-- Daily, your own table and column in the place of customers and email; canaries go with them:
--
--   SET PAGESIZE 0 FEEDBACK OFF TRIMSPOOL ON
--   SPOOL full.csv
--   SELECT digest.column_value
--   FROM tandem_digest_key,
--     (SELECT email FROM customers UNION ALL SELECT email FROM tandem_canaries),
--     TABLE(tandem_digests(email, hex)) digest;
--   SPOOL OFF
--
-- LOWER of Oracle makes of every capital sigma the same small one, where Unicode has two: a Greek
-- address typed in capitals that ends a word with one is not found. All else is as published.

SET DEFINE OFF
CREATE TABLE tandem_digest_key (hex VARCHAR2(128) NOT NULL);
CREATE OR REPLACE VIEW tandem_canaries (email) AS
  SELECT 'tandem-canary-1@canary.invalid' FROM dual
  UNION ALL SELECT 'tandem-canary-2@canary.invalid' FROM dual;

-- A label of a domain in IDNA ASCII: Punycode (RFC 3492) after xn--.
CREATE OR REPLACE FUNCTION tandem_label(word VARCHAR2) RETURN VARCHAR2 DETERMINISTIC IS
  TYPE numbers IS TABLE OF PLS_INTEGER INDEX BY PLS_INTEGER;
  letters CONSTANT VARCHAR2(36) := 'abcdefghijklmnopqrstuvwxyz0123456789';
  points numbers;
  result VARCHAR2(4000);
  basic PLS_INTEGER;
  done PLS_INTEGER;
  n PLS_INTEGER := 128;
  delta PLS_INTEGER := 0;
  bias PLS_INTEGER := 72;
  next_n PLS_INTEGER;
  q PLS_INTEGER;
  t PLS_INTEGER;
  k PLS_INTEGER;

  FUNCTION unit(utf16 RAW, place PLS_INTEGER) RETURN PLS_INTEGER IS
  BEGIN
    RETURN TO_NUMBER(RAWTOHEX(UTL_RAW.SUBSTR(utf16, place, 2)), 'XXXX');
  END;

  FUNCTION point(letter VARCHAR2) RETURN PLS_INTEGER IS
    utf16 RAW(8) := UTL_I18N.STRING_TO_RAW(letter, 'AL16UTF16');
  BEGIN
    IF UTL_RAW.LENGTH(utf16) = 2 THEN
      RETURN unit(utf16, 1);
    END IF;
    RETURN 65536 + (unit(utf16, 1) - 55296) * 1024 + unit(utf16, 3) - 56320;
  END;
BEGIN
  IF word IS NULL OR ASCIISTR(word) = word THEN
    RETURN word;
  END IF;
  FOR place IN 1 .. LENGTH(word) LOOP
    points(place) := point(SUBSTR(word, place, 1));
    IF points(place) < 128 THEN
      result := result || SUBSTR(word, place, 1);
    END IF;
  END LOOP;
  basic := NVL(LENGTH(result), 0);
  done := basic;
  IF basic > 0 THEN
    result := result || '-';
  END IF;
  WHILE done < points.COUNT LOOP
    next_n := 1114112;
    FOR place IN 1 .. points.COUNT LOOP
      IF points(place) >= n AND points(place) < next_n THEN
        next_n := points(place);
      END IF;
    END LOOP;
    delta := delta + (next_n - n) * (done + 1);
    n := next_n;
    FOR place IN 1 .. points.COUNT LOOP
      IF points(place) < n THEN
        delta := delta + 1;
      ELSIF points(place) = n THEN
        q := delta;
        k := 36;
        LOOP
          t := LEAST(GREATEST(k - bias, 1), 26);
          EXIT WHEN q < t;
          result := result || SUBSTR(letters, t + MOD(q - t, 36 - t) + 1, 1);
          q := TRUNC((q - t) / (36 - t));
          k := k + 36;
        END LOOP;
        result := result || SUBSTR(letters, q + 1, 1);
        delta := TRUNC(delta / CASE WHEN done = basic THEN 700 ELSE 2 END);
        done := done + 1;
        delta := delta + TRUNC(delta / done);
        k := 0;
        WHILE delta > 455 LOOP
          delta := TRUNC(delta / 35);
          k := k + 36;
        END LOOP;
        bias := k + TRUNC(36 * delta / (delta + 38));
        delta := 0;
      END IF;
    END LOOP;
    delta := delta + 1;
    n := n + 1;
  END LOOP;
  RETURN 'xn--' || result;
END;
/

-- A domain in IDNA ASCII, without its closing dot.
CREATE OR REPLACE FUNCTION tandem_domain(typed VARCHAR2) RETURN VARCHAR2 DETERMINISTIC IS
  rest VARCHAR2(4000) := typed;
  result VARCHAR2(4000);
  dot PLS_INTEGER;
BEGIN
  IF ASCIISTR(typed) <> typed THEN
    rest := LOWER(COMPOSE(DECOMPOSE(typed, 'COMPATIBILITY')));
    LOOP
      dot := INSTR(rest, '.');
      EXIT WHEN NVL(dot, 0) = 0;
      result := result || tandem_label(SUBSTR(rest, 1, dot - 1)) || '.';
      rest := SUBSTR(rest, dot + 1);
    END LOOP;
    rest := result || tandem_label(rest);
  END IF;
  RETURN REGEXP_REPLACE(rest, '\.$');
END;
/

-- The lines of one address in a list: one, or two where the canonical form differs; none of what is
-- no address.
CREATE OR REPLACE FUNCTION tandem_digests(address VARCHAR2, key_hex VARCHAR2)
RETURN sys.ODCIVARCHAR2LIST DETERMINISTIC IS
  -- What Unicode calls white space, not the blank alone.
  blanks CONSTANT VARCHAR2(200) := TO_CHAR(UNISTR('\0009\000A\000B\000C\000D\001C\001D\001E\001F '
    || '\0085\00A0\1680\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200A'
    || '\2028\2029\202F\205F\3000'));
  form VARCHAR2(4000);
  at_sign PLS_INTEGER;
  local VARCHAR2(4000);
  domain VARCHAR2(4000);
  provider VARCHAR2(4000);
  bare VARCHAR2(4000);
  lines sys.ODCIVARCHAR2LIST := sys.ODCIVARCHAR2LIST();

  PROCEDURE add_line(text VARCHAR2) IS
  BEGIN
    lines.EXTEND;
    lines(lines.COUNT) := LOWER(RAWTOHEX(DBMS_CRYPTO.MAC(
      UTL_I18N.STRING_TO_RAW(text, 'AL32UTF8'), DBMS_CRYPTO.HMAC_SH256, HEXTORAW(key_hex))));
  END;
BEGIN
  form := LOWER(COMPOSE(DECOMPOSE(RTRIM(LTRIM(address, blanks), blanks), 'CANONICAL')));
  at_sign := INSTR(form, '@');
  IF NVL(at_sign, 0) < 2 OR at_sign = LENGTH(form) OR INSTR(form, '@', 1, 2) > 0 THEN
    RETURN lines;
  END IF;
  local := SUBSTR(form, 1, at_sign - 1);
  domain := tandem_domain(SUBSTR(form, at_sign + 1));
  provider := CASE domain WHEN 'googlemail.com' THEN 'gmail.com' ELSE domain END;
  bare := local;
  IF provider IN (
    'fastmail.com', 'gmail.com', 'hotmail.com', 'hotmail.fr', 'icloud.com', 'live.com', 'live.fr',
    'mac.com', 'me.com', 'msn.com', 'outlook.com', 'outlook.fr', 'pm.me', 'proton.me',
    'protonmail.com'
  ) THEN
    bare := SUBSTR(local, 1, INSTR(local || '+', '+') - 1);
  END IF;
  IF provider = 'gmail.com' THEN
    bare := REPLACE(bare, '.');
  END IF;
  add_line(local || '@' || domain);
  IF NVL(bare, local) || '@' || provider <> local || '@' || domain THEN
    add_line(NVL(bare, local) || '@' || provider);
  END IF;
  RETURN lines;
END;
/

-- The check: the published vectors, under their public key.
SELECT address FROM (
  SELECT 'jeanne.dupont@example.fr' AS address,
    '4cd87d4a4bf21fffa2a1bafe0d66334226c33c7046a7d647ddcf9b43010f826a' AS digests FROM dual
  UNION ALL
  SELECT TO_CHAR(UNISTR(' Jeanne.Dupont@Example.FR\0009')) AS address,
    '4cd87d4a4bf21fffa2a1bafe0d66334226c33c7046a7d647ddcf9b43010f826a' AS digests FROM dual
  UNION ALL
  SELECT 'jeanne.dupont+courses@gmail.com' AS address,
    '32d73925f4d8b4473014cc3eb67196600acd5950a6c89bc5353aa811b0fdf7f5'
    || ',38e61194f250082e2d8ea00d82480c02dbe8d366ee7405738eb8aac14d9aa01e' AS digests FROM dual
  UNION ALL
  SELECT 'JeanneDupont@googlemail.com' AS address,
    '38e61194f250082e2d8ea00d82480c02dbe8d366ee7405738eb8aac14d9aa01e'
    || ',cf5320e6dac6fbf5005fc4932d4f203e59028a0ac67a26f11f5f8a8694d9ac99' AS digests FROM dual
  UNION ALL
  SELECT 'j.e.a.n.n.e@gmail.com' AS address,
    '38774377bae11ac8ed6214353d60aa18285ec48e990db8f64d7f74517517593a'
    || ',f702f4a11815e15171c1df02fcc01363c1a0eec7c495eefb565d4dc1bde485ee' AS digests FROM dual
  UNION ALL
  SELECT 'o''brien@example.com' AS address,
    'd62802a21f92ebb37830f3d50704726e3d4e9000ff5ebeebfc7845d79bbb414b' AS digests FROM dual
  UNION ALL
  SELECT 'marie+parrain@outlook.fr' AS address,
    '0949cba87bc1af48bc0528de66d9b52a4605399d5a3f98d39f17ba36be152c1a'
    || ',2dca50a02c1255faa519260e42dd93183b325c2c7676dc4f9bb4cc83b9cc6286' AS digests FROM dual
  UNION ALL
  SELECT 'marie+parrain@example.fr' AS address,
    'd348afdc28e52d5c899738ecea8c649f4e7d21a1e589f79490948010d7f73e4e' AS digests FROM dual
  UNION ALL
  SELECT TO_CHAR(UNISTR('paul@b\00fccher.example')) AS address,
    '46f580d93d6a51158670ce8c0350df8c2e07e0234cc027bf1bb463f11b2436d5' AS digests FROM dual
  UNION ALL
  SELECT 'Paul@xn--bcher-kva.example' AS address,
    '46f580d93d6a51158670ce8c0350df8c2e07e0234cc027bf1bb463f11b2436d5' AS digests FROM dual
  UNION ALL
  SELECT TO_CHAR(UNISTR('zoe\0308@example.fr')) AS address,
    '15e1dc86b9d85e235c212e5ceb43bf985815b73eec19081e21694df7b5253e34' AS digests FROM dual
  UNION ALL
  SELECT TO_CHAR(UNISTR('zo\00eb@example.fr')) AS address,
    '15e1dc86b9d85e235c212e5ceb43bf985815b73eec19081e21694df7b5253e34' AS digests FROM dual
  UNION ALL
  SELECT 'a@sub.domain.example' AS address,
    '031093e6be22c1ed9af8fbff7ad6df5a4abe2f9f367b9134ea7e6adb9537c35d' AS digests FROM dual
  UNION ALL
  SELECT 'first-last_99@orange.fr' AS address,
    '22d4573aadd883a5938c63581c3d00c7a329f9463814a4e3cef7a552de6f8c28' AS digests FROM dual
  UNION ALL
  SELECT 'user%tag@laposte.net' AS address,
    'fa0e5220bb46098078eb662c1eb0821cf3e6cf981bbb405e6f4bb4947295c7c5' AS digests FROM dual
  UNION ALL
  SELECT 'ana+1+2@icloud.com' AS address,
    '90d2398f52d8b4c802b72277a73e104686844a25ff3b9dfd4adb3d9b2566d8f5'
    || ',d25146ba4fcbd58e8b9b18d34397f379d1339624f725308f32f6726512d7ce94' AS digests FROM dual
  UNION ALL
  SELECT 'x@EXAMPLE.com.' AS address,
    '980df329b5fc2671534333af986a0cd7a8e37ab910a1d7d50c58cb90872bf2c6' AS digests FROM dual
)
WHERE digests <> NVL((
  SELECT LISTAGG(column_value, ',') WITHIN GROUP (ORDER BY column_value)
  FROM TABLE(tandem_digests(address,
    '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'))), 'none');
