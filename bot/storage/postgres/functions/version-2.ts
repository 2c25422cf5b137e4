/** Functions of schema version 2: a takeover can leave pools to another process. */
export const functions2 = `
-- Takes over what dead processes had in hand in these pools, with the death counted; dead is whose lock can be had.
-- The process's own earlier lives are no deaths: it has only lost their sessions. It never waits: what a
-- dying transaction still locks is found at the next look.
CREATE FUNCTION take_over_2(
  _class int, _me bigint, _lives bigint[], _limit int, _pools text[]
) RETURNS SETOF messages
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
      WHERE l.owner IS NOT NULL AND l.pool = ANY (_pools)
        AND l.owner IN (SELECT q.number FROM processes q WHERE q.ended IS NOT NULL)
      ORDER BY m.id LIMIT _limit FOR UPDATE OF l, m SKIP LOCKED),
    taken AS (UPDATE lanes l SET owner = _me FROM found f WHERE l.pool = f.pool AND l.lane = f.lane)
    UPDATE messages m SET claims = m.claims + 1, deaths = m.deaths + f.death, owner = _me
      FROM found f WHERE m.id = f.id RETURNING m.*;
END $$;
`;
