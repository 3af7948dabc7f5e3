// What is measured, as it comes: the history once, then a row a second.
import { get } from "./api.js";
import { useEffect, useRef, useState } from "./html.js";

/** Rows kept by the page: six hours by ten seconds, or an hour by the second. */
const ROWS_MAX = 3_600;

/**
 * Server-sent events of a path. `on(name, data)`; returns how to end them. `lost(true)` when they break off.
 * A page that nobody looks at lets go of its connection: a browser has six for a server.
 */
export function listen(path, name, on, lost) {
  let source;
  let timer;
  const open = () => {
    if (document.hidden) return;
    source = new EventSource(`/v1/operator${path}`);
    source.onopen = () => lost(false);
    source.addEventListener(name, (event) => on(JSON.parse(event.data)));
    source.onerror = () => {
      lost(true);
      // A refusal closes it for good: try again from here.
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, 5_000);
    };
  };
  const close = () => {
    clearTimeout(timer);
    source?.close();
  };
  const look = () => {
    close();
    if (document.hidden) lost(true);
    else open();
  };
  document.addEventListener("visibilitychange", look);
  open();
  return () => {
    document.removeEventListener("visibilitychange", look);
    close();
  };
}

/** The last `minutes`: `{at, series, step, now, lost, error}`. */
export function useLive(minutes) {
  const rows = useRef({ at: [], series: {}, step: 1000 });
  const [state, setState] = useState({});
  useEffect(() => {
    let ended = false;
    let loaded = false;
    const kept = (rows.current = { at: [], series: {}, step: minutes > 15 ? 10_000 : 1_000 });
    const put = (more = {}) => ended || setState((was) => ({ ...was, ...more, turn: (was.turn ?? 0) + 1 }));
    const trim = () => {
      const from = Date.now() - minutes * 60_000 - 60_000;
      const gone = Math.max(kept.at.length - ROWS_MAX, kept.at.findIndex((ms) => ms >= from), 0);
      if (!gone) return;
      kept.at.splice(0, gone);
      Object.values(kept.series).forEach((column) => column.splice(0, gone));
    };
    const add = (at_ms, values) => {
      if (at_ms <= (kept.at.at(-1) ?? 0)) return;
      for (const name in values) (kept.series[name] ??= new Array(kept.at.length).fill(null)).push(values[name]);
      kept.at.push(at_ms);
    };
    // What was missed is fetched, at the start and after every break.
    const fill = async () => {
      const since = kept.at.at(-1) ?? Date.now() - minutes * 60_000;
      const told = await get(`/live?since_ms=${Math.max(0, Math.floor(since))}&step=${kept.step / 1000}`);
      told.at_ms.forEach((at, row) => {
        const values = {};
        for (const name in told.series) values[name] = told.series[name][row];
        add(at, values);
      });
      loaded = true;
      trim();
      put({ error: undefined, offset: told.now_ms - Date.now() });
    };
    const refill = () => fill().catch((error) => put({ error }));
    let wasLost = false;
    const end = listen(
      "/live/stream",
      "row",
      (row) => {
        put({ now: row.values });
        if (!loaded || row.at_ms - (kept.at.at(-1) ?? 0) < kept.step) return;
        add(row.at_ms, row.values);
        trim();
      },
      (lost) => {
        if (wasLost && !lost) refill();
        wasLost = lost;
        put({ lost });
      },
    );
    refill();
    return () => {
      ended = true;
      end();
    };
  }, [minutes]);
  return { ...rows.current, ...state };
}

/** What one stream said last: `{data, lost}`. */
export function useStream(path, name) {
  const [state, setState] = useState({});
  useEffect(() => {
    setState({});
    return listen(path, name, (data) => setState({ data, lost: false }), (lost) => setState((was) => ({ ...was, lost })));
  }, [path]);
  return state;
}
