/**
 * Functions of schema version 1, and the types they use.
 *
 * A published function never changes: a process of the version before may still call it. A newer
 * version makes one of another name, so `turn_1`, `queue_work_1` and `take_over_1` are here for those alone.
 */

/** Maximum messages that are delayed at a time. */
const delayedMax = 1_000_000;

/** Types and functions of schema version 1. */
export const functions1 = `
CREATE TYPE ended_attempt AS (
  id bigint, claims int,
  -- done, expired, dead: it leaves. again: back to the head of its lane. skip: into the lane "lane".
  kind text, at bigint, spent int, park boolean, reason text, errors text, lane text,
  -- Index in _payloads of the new payload; with it comes the new flood scope.
  payload int, scope text,
  steps boolean, telegram jsonb, reached text, unreachable text, unreachable_reason text
);

CREATE TYPE fresh_message AS (
  n int, id bigint, after bigint, type text, pool text, lane text, priority smallint,
  created_at bigint, available_at bigint, expires_at bigint, origin bigint, ambiguous text,
  flood_scope text, flood_cost int, replaces text, errors text, keys jsonb, refs jsonb, files jsonb,
  -- When it enters its lane, if it is delayed; its key, and whether that refuses or replaces.
  enters_at bigint, key text, again text
);

-- Whether no more messages may be delayed. They are counted only where the statistics speak of many.
CREATE FUNCTION delayed_is_full_1() RETURNS boolean LANGUAGE sql AS $$
  SELECT CASE WHEN c.reltuples < ${delayedMax * 0.8} THEN false
    ELSE (SELECT count(*) >= ${delayedMax} FROM (
      SELECT 1 FROM messages m WHERE m.pos IS NULL LIMIT ${delayedMax}) m) END
  FROM pg_class c WHERE c.oid = 'messages_by_entry'::regclass
$$;

-- Ends attempts, queues messages, and lets those enter their lanes whose time has come. A message with
-- "after" is queued only if that attempt was still held. What waits under a key of _cancel is taken away.
-- Returns what became of the others: over, duplicate, replaced, full.
CREATE FUNCTION queue_work_1(
  _me bigint, _now bigint, _lane_max int, _dedupe_until bigint,
  _ended jsonb, _fresh jsonb, _payloads bytea[], _sent jsonb, _cancel text[]
) RETURNS TABLE (kind text, n int, id bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  _e ended_attempt[] := ARRAY(SELECT x FROM jsonb_populate_recordset(NULL::ended_attempt, _ended) x);
  _f fresh_message[];
  _held bigint[] := '{}'; _left bigint[] := '{}'; _back bigint[] := '{}';
  _duplicates int[]; _superseded int[]; _replaced bigint[]; _replacing int[] := '{}'; _full int[] := '{}';
  _pools text[]; _lanes text[]; _longest int;
  _taken text[]; _cancel_for int[]; _due bigint[]; _cancelled bigint[]; _origins bigint[];
BEGIN
  IF cardinality(_e) > 0 THEN
    SELECT coalesce(array_agg(x.id), '{}') INTO _held FROM (
      SELECT m.id FROM messages m JOIN unnest(_e) t ON t.id = m.id AND t.claims = m.claims
      WHERE m.owner = _me ORDER BY m.id FOR UPDATE OF m) x;
    RETURN QUERY SELECT 'over', NULL::int, t.id FROM unnest(_e) t WHERE t.id <> ALL (_held);
    _e := ARRAY(SELECT t FROM unnest(_e) t WHERE t.id = ANY (_held));
    INSERT INTO dedupe AS d (key, expires_at)
      SELECT DISTINCT 'key:' || m.key, _dedupe_until FROM unnest(_e) t JOIN messages m ON m.id = t.id
      WHERE t.kind = 'done' AND m.key IS NOT NULL ORDER BY 1
      ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at;
  END IF;
  _f := ARRAY(SELECT x FROM jsonb_populate_recordset(NULL::fresh_message, _fresh) x
    WHERE x.after IS NULL OR x.after = ANY (_held));

  _cancel_for := array_fill(NULL::int, ARRAY[cardinality(_cancel)]);
  IF cardinality(_cancel) > 0 OR EXISTS (SELECT 1 FROM unnest(_f) x WHERE x.again IS NOT NULL) THEN
    -- Nothing is queued or taken away under these keys by others until this transaction ends.
    PERFORM pg_advisory_xact_lock(hashtextextended(current_schema() || ':key:' || k.key, 0)) FROM (
      SELECT q.key FROM (
        SELECT x.key FROM unnest(_f) x WHERE x.again IS NOT NULL UNION SELECT unnest(_cancel)) q
      ORDER BY 1) k;
    -- The first message with a key decides for the others of the call.
    WITH firsts AS (
      SELECT DISTINCT ON (x.key) x.key, x.n, x.again FROM unnest(_f) x
      WHERE x.again IS NOT NULL ORDER BY x.key, x.n)
    SELECT coalesce(array_agg(s.key) FILTER (WHERE s.again = 'refuse' AND (
          EXISTS (SELECT 1 FROM messages m WHERE m.key = s.key)
          OR EXISTS (SELECT 1 FROM dead_letters d WHERE d.key = s.key)
          OR EXISTS (SELECT 1 FROM dedupe d WHERE d.key = 'key:' || s.key AND d.expires_at > _now))), '{}'),
        _cancel || coalesce(array_agg(s.key) FILTER (WHERE s.again = 'replace'), '{}'),
        _cancel_for || coalesce(array_agg(s.n) FILTER (WHERE s.again = 'replace'), '{}')
      INTO _taken, _cancel, _cancel_for FROM firsts s;
    IF cardinality(_taken) > 0 THEN
      RETURN QUERY SELECT 'duplicate', x.n, NULL::bigint FROM unnest(_f) x
        WHERE x.again IS NOT NULL AND x.key = ANY (_taken);
      _f := ARRAY(SELECT x FROM unnest(_f) x WHERE x.again IS NULL OR x.key <> ALL (_taken));
    END IF;
    IF cardinality(_cancel) > 0 THEN
      -- Delayed messages are locked before lanes, as where they enter.
      WITH gone AS (
        DELETE FROM messages m USING unnest(_cancel, _cancel_for) c(key, n)
        WHERE m.key = c.key AND m.pos IS NULL RETURNING coalesce(m.origin, m.id) AS origin, c.n)
      SELECT array_agg(gone.origin), array_agg(gone.n) INTO _origins, _superseded FROM gone;
      IF _origins IS NOT NULL THEN
        RETURN QUERY SELECT 'replaced', unnest(_superseded), NULL::bigint;
        DELETE FROM steps s WHERE s.origin = ANY (_origins);
      END IF;
    END IF;
  END IF;

  _due := ARRAY(SELECT m.id FROM messages m WHERE m.pos IS NULL AND m.enters_at <= _now
    ORDER BY m.enters_at, m.id LIMIT 1000 FOR UPDATE SKIP LOCKED);

  IF EXISTS (SELECT 1 FROM unnest(_f) x WHERE x.keys IS NOT NULL) THEN
    WITH given AS MATERIALIZED (
      SELECT x.n, k.key FROM unnest(_f) x, jsonb_array_elements_text(x.keys) k(key)),
    taken AS (
      INSERT INTO dedupe AS d (key, expires_at)
      SELECT g.key, _dedupe_until FROM given g GROUP BY g.key ORDER BY g.key
      ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at WHERE d.expires_at <= _now
      RETURNING key),
    -- A key of a message that another key makes a duplicate belongs to the next message with it.
    known AS (SELECT DISTINCT g.n FROM given g LEFT JOIN taken t ON t.key = g.key WHERE t.key IS NULL),
    firsts AS (
      SELECT g.key, min(g.n) AS n FROM given g WHERE g.n NOT IN (SELECT known.n FROM known) GROUP BY g.key)
    SELECT array_agg(DISTINCT g.n) INTO _duplicates
      FROM given g LEFT JOIN firsts f ON f.key = g.key AND f.n = g.n WHERE f.key IS NULL;
    IF _duplicates IS NOT NULL THEN
      RETURN QUERY SELECT 'duplicate', unnest(_duplicates), NULL::bigint;
      _f := ARRAY(SELECT x FROM unnest(_f) x WHERE x.n <> ALL (_duplicates));
    END IF;
  END IF;

  IF EXISTS (SELECT 1 FROM unnest(_f) x WHERE x.replaces IS NOT NULL) THEN
    SELECT array_agg(y.n), coalesce(array_agg(y.by), '{}') INTO _superseded, _replacing FROM (
      SELECT x.n, lead(x.n) OVER (PARTITION BY x.pool, x.lane, x.replaces ORDER BY x.n) AS by
      FROM unnest(_f) x WHERE x.replaces IS NOT NULL) y WHERE y.by IS NOT NULL;
    IF _superseded IS NOT NULL THEN
      RETURN QUERY SELECT 'replaced', unnest(_replacing), NULL::bigint;
      _f := ARRAY(SELECT x FROM unnest(_f) x WHERE x.n <> ALL (_superseded));
    END IF;
  END IF;

  IF cardinality(_f) > 0 OR cardinality(_e) > 0 OR cardinality(_due) > 0 OR cardinality(_cancel) > 0 THEN
    WITH d AS (
      SELECT x.pool, x.lane, x.priority, 1 AS n FROM unnest(_f) x WHERE x.enters_at IS NULL
      UNION ALL
      SELECT m.pool, m.lane, m.priority, 1 FROM messages m WHERE m.id = ANY (_due)
      UNION ALL
      SELECT m.pool, m.lane, m.priority, 0 FROM messages m
        WHERE m.key = ANY (_cancel) AND m.owner IS NULL AND m.pos IS NOT NULL
      UNION ALL
      SELECT m.pool, m.lane, m.priority, CASE t.kind WHEN 'again' THEN 0 ELSE -1 END
        FROM unnest(_e) t JOIN messages m ON m.id = t.id
      UNION ALL
      SELECT m.pool, t.lane, m.priority, 1
        FROM unnest(_e) t JOIN messages m ON m.id = t.id WHERE t.kind = 'skip'),
    u AS (
      INSERT INTO lanes AS l (pool, lane, high, normal, low, priority, available_at)
      SELECT d.pool, d.lane, coalesce(sum(d.n) FILTER (WHERE d.priority = 0), 0),
        coalesce(sum(d.n) FILTER (WHERE d.priority = 1), 0),
        coalesce(sum(d.n) FILTER (WHERE d.priority = 2), 0), 2, 0
      FROM d GROUP BY 1, 2 ORDER BY 1, 2
      ON CONFLICT (pool, lane) DO UPDATE
        SET high = l.high + excluded.high, normal = l.normal + excluded.normal, low = l.low + excluded.low
      RETURNING l.pool, l.lane, l.high + l.normal + l.low AS total)
    SELECT array_agg(u.pool), array_agg(u.lane), max(u.total) INTO _pools, _lanes, _longest FROM u;

    IF cardinality(_cancel) > 0 THEN
      -- Only in the locked lanes: what has changed its lane since then was in hand.
      WITH r AS (
        DELETE FROM messages m USING unnest(_cancel, _cancel_for) c(key, n), unnest(_pools, _lanes) t(pool, lane)
        WHERE m.key = c.key AND m.owner IS NULL AND m.pos IS NOT NULL
          AND m.pool = t.pool AND m.lane = t.lane
        RETURNING m.id, m.pool, m.lane, m.priority, coalesce(m.origin, m.id) AS origin, c.n),
      u AS (
        UPDATE lanes l SET high = l.high - q.high, normal = l.normal - q.normal, low = l.low - q.low
        FROM (SELECT r.pool, r.lane, count(*) FILTER (WHERE r.priority = 0) AS high,
            count(*) FILTER (WHERE r.priority = 1) AS normal, count(*) FILTER (WHERE r.priority = 2) AS low
          FROM r GROUP BY 1, 2) q
        WHERE l.pool = q.pool AND l.lane = q.lane)
      SELECT array_agg(r.id), array_agg(r.origin), array_agg(r.n) INTO _cancelled, _origins, _superseded FROM r;
      IF _cancelled IS NOT NULL THEN
        RETURN QUERY SELECT 'replaced', unnest(_superseded), NULL::bigint;
        DELETE FROM steps s WHERE s.origin = ANY (_origins);
        _left := _cancelled;
        _replacing := _replacing || array_remove(_superseded, NULL);
      END IF;
    END IF;

    IF EXISTS (SELECT 1 FROM unnest(_f) x WHERE x.replaces IS NOT NULL) THEN
      WITH r AS (
        DELETE FROM messages m USING unnest(_f) x
        WHERE x.replaces IS NOT NULL AND m.pool = x.pool AND m.lane = x.lane
          AND m.replaces = x.replaces AND m.claims = 0
        RETURNING m.id, m.pool, m.lane, m.priority, x.n),
      c AS (
        UPDATE lanes l SET high = l.high - q.high, normal = l.normal - q.normal, low = l.low - q.low
        FROM (SELECT r.pool, r.lane, count(*) FILTER (WHERE r.priority = 0) AS high,
            count(*) FILTER (WHERE r.priority = 1) AS normal, count(*) FILTER (WHERE r.priority = 2) AS low
          FROM r GROUP BY 1, 2) q
        WHERE l.pool = q.pool AND l.lane = q.lane)
      SELECT array_agg(r.id), array_agg(r.n) INTO _replaced, _superseded FROM r;
      IF _replaced IS NOT NULL THEN
        RETURN QUERY SELECT 'replaced', unnest(_superseded), NULL::bigint;
        _left := _left || _replaced;
        _replacing := _replacing || _superseded;
      END IF;
    END IF;

    IF _longest > _lane_max AND cardinality(_f) > 0 THEN
      -- The last ones find no room; one that took another's place finds it.
      SELECT coalesce(array_agg(z.n), '{}') INTO _full FROM (
        SELECT x.n, l.high + l.normal + l.low - _lane_max AS excess,
          row_number() OVER (PARTITION BY x.pool, x.lane ORDER BY x.n = ANY (_replacing), x.n DESC) AS last
        FROM unnest(_f) x JOIN lanes l ON l.pool = x.pool AND l.lane = x.lane
        WHERE x.enters_at IS NULL) z WHERE z.last <= z.excess;
      UPDATE lanes l SET high = l.high - q.high, normal = l.normal - q.normal, low = l.low - q.low
        FROM (SELECT x.pool, x.lane, count(*) FILTER (WHERE x.priority = 0) AS high,
            count(*) FILTER (WHERE x.priority = 1) AS normal, count(*) FILTER (WHERE x.priority = 2) AS low
          FROM unnest(_f) x WHERE x.n = ANY (_full) GROUP BY 1, 2) q
        WHERE l.pool = q.pool AND l.lane = q.lane;
    END IF;
    IF EXISTS (SELECT 1 FROM unnest(_f) x WHERE x.enters_at IS NOT NULL) AND delayed_is_full_1() THEN
      _full := _full || ARRAY(SELECT x.n FROM unnest(_f) x WHERE x.enters_at IS NOT NULL);
    END IF;
    IF cardinality(_full) > 0 THEN
      RETURN QUERY SELECT 'full', unnest(_full), NULL::bigint;
      INSERT INTO dead_letters (id, type, pool, lane, priority, payload, created_at, died_at, reason,
          attempts, deaths, origin, ambiguous, flood_scope, flood_cost, errors, key)
        SELECT x.id, x.type, x.pool, x.lane, x.priority, _payloads[x.n], x.created_at, _now, 'lane-full',
          0, 0, x.origin, x.ambiguous, x.flood_scope, x.flood_cost, x.errors, x.key
        FROM unnest(_f) x WHERE x.n = ANY (_full);
    END IF;

    IF cardinality(_due) > 0 THEN
      UPDATE messages m SET pos = q.pos FROM (
          SELECT y.id, nextval('message_positions') AS pos FROM (
            SELECT m.id FROM messages m WHERE m.id = ANY (_due) ORDER BY m.enters_at, m.id) y) q
        WHERE m.id = q.id;
    END IF;
    INSERT INTO messages (id, pos, type, pool, lane, priority, payload, created_at, available_at,
        expires_at, origin, ambiguous, flood_scope, flood_cost, replaces, errors, enters_at, key)
      SELECT x.id, CASE WHEN x.enters_at IS NULL THEN nextval('message_positions') END,
        x.type, x.pool, x.lane, x.priority, _payloads[x.n],
        x.created_at, x.available_at, x.expires_at, x.origin, x.ambiguous, x.flood_scope, x.flood_cost,
        x.replaces, x.errors, x.enters_at, x.key
      FROM unnest(_f) x WHERE x.n <> ALL (_full);
    INSERT INTO message_references AS r (id, owner, position, at)
      SELECT (y.value ->> 'id')::bigint, x.id, (y.value ->> 'position')::int, _now
      FROM unnest(_f) x, jsonb_array_elements(x.refs) y
      ON CONFLICT (id) DO UPDATE
        SET owner = excluded.owner, position = excluded.position, telegram_id = NULL, at = excluded.at;
    INSERT INTO message_files (owner, name)
      SELECT x.id, y.name FROM unnest(_f) x, jsonb_array_elements_text(x.files) y(name)
      ON CONFLICT DO NOTHING;

    IF cardinality(_e) > 0 THEN
      _left := _left || ARRAY(SELECT t.id FROM unnest(_e) t WHERE t.kind <> 'again');
      _back := ARRAY(SELECT t.id FROM unnest(_e) t WHERE t.kind = 'again');
      IF EXISTS (SELECT 1 FROM unnest(_e) t WHERE t.park) THEN
        UPDATE lanes l SET not_before = greatest(l.not_before, q.at)
          FROM (SELECT m.pool, m.lane, max(t.at) AS at FROM unnest(_e) t JOIN messages m ON m.id = t.id
            WHERE t.park GROUP BY 1, 2) q
          WHERE l.pool = q.pool AND l.lane = q.lane;
      END IF;
      IF EXISTS (SELECT 1 FROM unnest(_e) t WHERE t.kind IN ('again', 'skip')) THEN
        UPDATE messages m SET owner = NULL, attempts = m.attempts + t.spent,
            available_at = coalesce(t.at, m.available_at), errors = coalesce(t.errors, m.errors),
            lane = coalesce(t.lane, m.lane),
            payload = CASE WHEN t.payload IS NULL THEN m.payload ELSE _payloads[t.payload] END,
            flood_scope = CASE WHEN t.payload IS NULL THEN m.flood_scope ELSE t.scope END
          FROM unnest(_e) t WHERE t.kind IN ('again', 'skip') AND m.id = t.id;
      END IF;
      IF EXISTS (SELECT 1 FROM unnest(_e) t WHERE t.kind = 'dead') THEN
        INSERT INTO dead_letters (id, type, pool, lane, priority, payload, created_at, died_at, reason,
            attempts, deaths, origin, ambiguous, flood_scope, flood_cost, errors, key)
          SELECT m.id, m.type, m.pool, m.lane, m.priority, m.payload, m.created_at, _now, t.reason,
            m.attempts + t.spent, m.deaths, m.origin, m.ambiguous, m.flood_scope, m.flood_cost,
            coalesce(t.errors, m.errors), m.key
          FROM messages m JOIN unnest(_e) t ON t.id = m.id WHERE t.kind = 'dead';
      END IF;
      IF EXISTS (SELECT 1 FROM unnest(_e) t WHERE t.unreachable IS NOT NULL) THEN
        INSERT INTO unreachable_chats AS c (chat, reason, since)
          SELECT t.unreachable, max(t.unreachable_reason), _now FROM unnest(_e) t
          WHERE t.unreachable IS NOT NULL GROUP BY 1 ORDER BY 1
          ON CONFLICT (chat) DO UPDATE SET reason = excluded.reason, since = excluded.since;
      END IF;
      UPDATE message_references r SET telegram_id = a.value::bigint, at = _now
        FROM unnest(_e) t, jsonb_array_elements_text(t.telegram) WITH ORDINALITY a(value, ordinal)
        WHERE r.owner = t.id AND r.position = a.ordinal - 1;
      IF EXISTS (SELECT 1 FROM unnest(_e) t WHERE t.steps) THEN
        DELETE FROM steps s USING unnest(_e) t JOIN messages m ON m.id = t.id
          WHERE t.steps AND t.kind IN ('done', 'expired') AND s.origin = coalesce(m.origin, m.id);
      END IF;
      IF EXISTS (SELECT 1 FROM unnest(_e) t WHERE t.reached IS NOT NULL) THEN
        DELETE FROM unreachable_chats c USING unnest(_e) t WHERE c.chat = t.reached;
      END IF;
      DELETE FROM messages m USING unnest(_e) t
        WHERE m.id = t.id AND t.kind IN ('done', 'expired', 'dead');
    END IF;

    UPDATE lanes l SET
        owner = CASE WHEN c.changes OR c.back THEN NULL ELSE l.owner END,
        head = CASE WHEN c.changes THEN n.id ELSE l.head END,
        head_pos = CASE WHEN c.changes THEN n.pos ELSE l.head_pos END,
        deaths = CASE WHEN l.pool = 'handling' THEN coalesce(h.deaths, 0) ELSE 0 END,
        emptied_at = CASE WHEN c.changes AND n.id IS NULL THEN _now END,
        available_at = CASE WHEN c.changes OR c.back
          THEN greatest(coalesce(h.available_at, 0), l.not_before) ELSE l.available_at END,
        priority = CASE WHEN l.high > 0 THEN 0 WHEN l.normal > 0 THEN 1 ELSE 2 END
      FROM unnest(_pools, _lanes) t(pool, lane)
      JOIN lanes o ON o.pool = t.pool AND o.lane = t.lane
      CROSS JOIN LATERAL (
        SELECT o.head IS NULL OR o.head = ANY (_left) AS changes, coalesce(o.head = ANY (_back), false) AS back) c
      LEFT JOIN LATERAL (
        SELECT m.id, m.pos FROM messages m WHERE c.changes AND m.pool = t.pool AND m.lane = t.lane
          AND m.pos IS NOT NULL
        ORDER BY m.pos LIMIT 1) n ON true
      LEFT JOIN messages h ON h.id = CASE WHEN c.changes THEN n.id ELSE o.head END
      WHERE l.pool = t.pool AND l.lane = t.lane;
  END IF;

  INSERT INTO sent (scope, cost, at)
    SELECT x.scope, x.cost, x.at
    FROM jsonb_to_recordset(_sent) AS x(after bigint, scope text, cost int, at bigint)
    WHERE x.after IS NULL OR x.after = ANY (_held);
END $$;

-- A turn of a process: its beat, its work, and its claims, which never wait. A claim takes heads, or
-- only shows them ("ask"), or takes the ones in "ids" if they are still there.
CREATE FUNCTION turn_1(
  _me bigint, _commits bigint, _now bigint, _lane_max int, _dedupe_until bigint,
  _ended jsonb, _fresh jsonb, _payloads bytea[], _sent jsonb, _claims jsonb
) RETURNS TABLE (
  kind text, n int, id bigint, pool text, lane text, priority int, available_at bigint, pos bigint,
  type text, created_at bigint, expires_at bigint, attempts int, claims int, deaths int, origin bigint,
  ambiguous text, flood_scope text, flood_cost int, replaces text, errors text, payload bytea
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  _c record; _request int; _want int; _got int;
BEGIN
  UPDATE processes SET commits = _commits, beat_at = _now WHERE number = _me AND ended IS NULL;
  IF NOT FOUND THEN RAISE EXCEPTION 'process % was taken over', _me USING ERRCODE = 'BT001'; END IF;
  IF _ended <> '[]' OR _fresh <> '[]' OR _sent <> '[]'
      OR EXISTS (SELECT 1 FROM messages m WHERE m.pos IS NULL AND m.enters_at <= _now) THEN
    RETURN QUERY SELECT w.kind, w.n, w.id, NULL::text, NULL::text, NULL::int, NULL::bigint, NULL::bigint,
      NULL::text, NULL::bigint, NULL::bigint, NULL::int, NULL::int, NULL::int, NULL::bigint,
      NULL::text, NULL::text, NULL::int, NULL::text, NULL::text, NULL::bytea
    FROM queue_work_1(_me, _now, _lane_max, _dedupe_until, _ended, _fresh, _payloads, _sent, '{}') w;
  END IF;
  FOR _c IN SELECT * FROM jsonb_to_recordset(_claims) AS c(
      n int, pool text, priority int, due bigint, "limit" int, suspects text, ask boolean,
      ids bigint[], later_ids bigint[], later_at bigint[])
  LOOP
    IF _c.n IS DISTINCT FROM _request THEN _request := _c.n; _got := 0; END IF;
    _want := _c."limit" - _got;
    IF _c.later_ids IS NOT NULL THEN
      UPDATE lanes l SET available_at = greatest(l.available_at, q.at)
        FROM messages m JOIN unnest(_c.later_ids, _c.later_at) q(id, at) ON q.id = m.id
        WHERE l.pool = m.pool AND l.lane = m.lane AND l.head = m.id AND l.owner IS NULL;
    END IF;
    CONTINUE WHEN _want <= 0;
    IF _c.ask THEN
      RETURN QUERY SELECT 'candidate', _c.n, m.id, m.pool, m.lane, l.priority::int, l.available_at, m.pos,
          NULL::text, NULL::bigint, NULL::bigint, NULL::int, NULL::int, NULL::int, NULL::bigint,
          NULL::text, m.flood_scope, m.flood_cost, NULL::text, NULL::text, NULL::bytea
        FROM lanes l JOIN messages m ON m.id = l.head
        WHERE l.pool = _c.pool AND (_c.suspects = 'only' OR l.priority = _c.priority)
          AND l.owner IS NULL AND l.available_at <= _c.due
          AND CASE _c.suspects WHEN 'only' THEN l.deaths > 0 WHEN 'without' THEN l.deaths = 0 ELSE true END
        ORDER BY CASE WHEN _c.suspects = 'only' THEN l.deaths END, l.available_at, l.head_pos LIMIT _want;
    ELSIF _c.suspects = 'only' THEN
      RETURN QUERY WITH r AS (
          SELECT l.pool, l.lane FROM lanes l
          WHERE l.pool = _c.pool AND l.deaths > 0 AND l.owner IS NULL AND l.available_at <= _c.due
          ORDER BY l.deaths, l.head_pos LIMIT _want FOR NO KEY UPDATE SKIP LOCKED),
        t AS (UPDATE lanes l SET owner = _me FROM r WHERE l.pool = r.pool AND l.lane = r.lane RETURNING l.head)
        UPDATE messages m SET claims = m.claims + 1, owner = _me FROM t WHERE m.id = t.head
        RETURNING 'claimed', _c.n, m.id, m.pool, m.lane, m.priority::int, m.available_at, m.pos,
          m.type, m.created_at, m.expires_at, m.attempts, m.claims, m.deaths, m.origin,
          m.ambiguous, m.flood_scope, m.flood_cost, m.replaces, m.errors, m.payload;
    ELSIF _c.ids IS NOT NULL THEN
      RETURN QUERY WITH r AS (
          SELECT l.pool, l.lane FROM lanes l JOIN messages m ON m.pool = l.pool AND m.lane = l.lane
          WHERE m.id = ANY (_c.ids) AND l.head = m.id AND l.owner IS NULL
          ORDER BY m.id FOR NO KEY UPDATE OF l SKIP LOCKED),
        t AS (UPDATE lanes l SET owner = _me FROM r WHERE l.pool = r.pool AND l.lane = r.lane RETURNING l.head)
        UPDATE messages m SET claims = m.claims + 1, owner = _me FROM t WHERE m.id = t.head
        RETURNING 'claimed', _c.n, m.id, m.pool, m.lane, m.priority::int, m.available_at, m.pos,
          m.type, m.created_at, m.expires_at, m.attempts, m.claims, m.deaths, m.origin,
          m.ambiguous, m.flood_scope, m.flood_cost, m.replaces, m.errors, m.payload;
    ELSE
      RETURN QUERY WITH r AS (
          SELECT l.pool, l.lane FROM lanes l
          WHERE l.pool = _c.pool AND l.priority = _c.priority AND l.owner IS NULL AND l.head IS NOT NULL
            AND l.available_at <= _c.due AND (_c.suspects = 'with' OR l.deaths = 0)
          ORDER BY l.available_at, l.head_pos LIMIT _want FOR NO KEY UPDATE SKIP LOCKED),
        t AS (UPDATE lanes l SET owner = _me FROM r WHERE l.pool = r.pool AND l.lane = r.lane RETURNING l.head)
        UPDATE messages m SET claims = m.claims + 1, owner = _me FROM t WHERE m.id = t.head
        RETURNING 'claimed', _c.n, m.id, m.pool, m.lane, m.priority::int, m.available_at, m.pos,
          m.type, m.created_at, m.expires_at, m.attempts, m.claims, m.deaths, m.origin,
          m.ambiguous, m.flood_scope, m.flood_cost, m.replaces, m.errors, m.payload;
    END IF;
    IF NOT coalesce(_c.ask, false) THEN GET DIAGNOSTICS _want = ROW_COUNT; _got := _got + _want; END IF;
  END LOOP;
  RETURN QUERY SELECT 'next', NULL::int, NULL::bigint, p.pool, NULL::text, NULL::int,
      least((SELECT min(m.enters_at) FROM messages m WHERE m.pos IS NULL),
        (SELECT min(q.at) FROM generate_series(0, 2) g(priority) CROSS JOIN LATERAL (
        SELECT l.available_at AS at FROM lanes l WHERE l.pool = p.pool AND l.priority = g.priority
          AND l.owner IS NULL AND l.head IS NOT NULL ORDER BY l.available_at LIMIT 1) q)),
      NULL::bigint, NULL::text, NULL::bigint, NULL::bigint, NULL::int, NULL::int, NULL::int, NULL::bigint,
      NULL::text, NULL::text, NULL::int, NULL::text, NULL::text, NULL::bytea
    FROM unnest(ARRAY['handling', 'sending', 'answering']) p(pool);
END $$;

-- A process is born: its lock is held before its row can be seen, or a newborn would be taken for dead.
CREATE FUNCTION enter_1(_class int, _name text, _host text, _pid int, _version text, _now bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE _number bigint := nextval('process_numbers');
BEGIN
  PERFORM pg_advisory_lock(_class, _number::int);
  INSERT INTO processes (number, name, host, pid, version, started_at, beat_at)
    VALUES (_number, _name, _host, _pid, _version, _now, _now);
  RETURN _number;
END $$;

-- Takes over what dead processes had in hand, with the death counted; dead is whose lock can be had.
-- The process's own earlier lives are no deaths: it has only lost their sessions. It never waits: what a dying transaction still locks is found at the next look.
CREATE FUNCTION take_over_1(_class int, _me bigint, _lives bigint[], _limit int) RETURNS SETOF messages
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  -- No row of the living is locked, because each of their turns writes its own.
  WITH open AS MATERIALIZED (
      SELECT q.number FROM processes q WHERE q.ended IS NULL AND q.number <> _me),
    dead AS MATERIALIZED (
      SELECT o.number FROM open o WHERE pg_try_advisory_xact_lock(_class, o.number::int))
    UPDATE processes p SET ended = 'taken-over' FROM dead d WHERE p.number = d.number;
  RETURN QUERY WITH found AS MATERIALIZED (
      SELECT m.id, l.pool, l.lane, CASE WHEN l.owner = ANY (_lives) THEN 0 ELSE 1 END AS death
      FROM lanes l JOIN messages m ON m.id = l.head
      WHERE l.owner IS NOT NULL AND l.owner IN (SELECT q.number FROM processes q WHERE q.ended IS NOT NULL)
      ORDER BY m.id LIMIT _limit FOR UPDATE OF l, m SKIP LOCKED),
    taken AS (UPDATE lanes l SET owner = _me FROM found f WHERE l.pool = f.pool AND l.lane = f.lane)
    UPDATE messages m SET claims = m.claims + 1, deaths = m.deaths + f.death, owner = _me
      FROM found f WHERE m.id = f.id RETURNING m.*;
END $$;
`;
