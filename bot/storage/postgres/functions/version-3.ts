/** Functions of schema version 3: data keys change while several processes seal with them. */
export const functions3 = `
-- Fences a transaction that seals: it holds a lock of the key until it ends, under which it has seen that
-- this is the key that seals. So once another key does, and the lock of this one is free, nothing sealed
-- with this one comes any more.
CREATE FUNCTION seals_1(_key int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(
    (current_schema()::regnamespace::oid::bigint - 2147483648)::int, -1000 - _key);
  IF (SELECT max(id) FROM data_keys WHERE used_at IS NOT NULL) IS DISTINCT FROM _key THEN
    RAISE EXCEPTION 'data key % does not seal', _key USING ERRCODE = 'BT003';
  END IF;
END $$;

-- A process is born: its lock is held before its row can be seen, or a newborn would be taken for dead.
-- The caller has locked the table of the data keys, and knows those up to _key.
CREATE FUNCTION enter_2(
  _class int, _name text, _host text, _pid int, _version text, _now bigint, _key int
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE _number bigint := nextval('process_numbers');
BEGIN
  PERFORM pg_advisory_lock(_class, _number::int);
  INSERT INTO processes (number, name, host, pid, version, started_at, beat_at, data_key)
    VALUES (_number, _name, _host, _pid, _version, _now, _now, _key);
  RETURN _number;
END $$;

-- Programs of schema version 2 read the data keys only once, at their start. When one of these enters
-- again, no key may have come since.
CREATE FUNCTION refuse_unaware() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  LOCK TABLE data_keys IN SHARE MODE;
  IF EXISTS (SELECT 1 FROM data_keys WHERE used_at IS DISTINCT FROM 0) THEN
    RAISE EXCEPTION 'this version does not know the newest data key; start a newer one';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER refuse_unaware BEFORE INSERT ON processes
  FOR EACH ROW WHEN (NEW.data_key IS NULL) EXECUTE FUNCTION refuse_unaware();
`;
