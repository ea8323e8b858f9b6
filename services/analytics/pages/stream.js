// Server-sent events, read with fetch: other than the browser's EventSource it tells why a server refuses,
// and whoever comes back, says which event was the last: nothing is missed and nothing comes twice.

import { Problem, at, renewal } from "./api.js";
import { useCallback, useEffect, useRef, useState } from "./ui.js";

const PAUSES_MS = [1_000, 2_000, 3_000, 5_000];
const SILENCE_MS = 30_000; // the server says something every 15 s at least
const HIDDEN_MS = 20_000; // browsers allow six connections to a server: tabs that nobody looks at let theirs go
const REFUSED = new Set([400, 403, 404, 422]);

// The events of a stream: [{ id, event, data }]. `alive` is called with whatever comes.
async function* eventsOf(body, alive) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    alive();
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const event = { event: "message", data: "" };
      for (const line of block.split("\n")) {
        const [name, ...value] = line.split(": ");
        if (name) event[name] = value.join(": ");
      }
      if (event.data) yield event;
    }
  }
}

class Follower {
  constructor(path, { onEvent, onState }) {
    Object.assign(this, { path, onEvent, onState, id: null, failures: 0, renewedAt: -Infinity, timer: 0, connection: null });
    this.seen = () => this.look();
    document.addEventListener("visibilitychange", this.seen);
    addEventListener("online", this.seen);
    this.connect();
  }

  close() {
    document.removeEventListener("visibilitychange", this.seen);
    removeEventListener("online", this.seen);
    this.pause();
  }

  pause() {
    clearTimeout(this.timer);
    this.connection?.abort();
    this.connection = null;
  }

  // The tab was hidden or is looked at again, or there is a network again.
  look() {
    if (this.over) return;
    clearTimeout(this.hiding);
    if (document.hidden) {
      this.hiding = setTimeout(() => { this.pause(); this.onState("paused"); }, HIDDEN_MS);
    } else if (!this.connection || this.waiting) {
      this.failures = 0;
      this.connect();
    }
  }

  async connect() {
    this.pause();
    this.waiting = false;
    const connection = (this.connection = new AbortController());
    let quiet = 0;
    const alive = () => {
      clearTimeout(quiet);
      quiet = setTimeout(() => connection.abort("silence"), SILENCE_MS);
    };
    try {
      alive();
      const answer = await fetch(at("analytics", this.path), {
        signal: connection.signal, credentials: "include", cache: "no-store",
        headers: { accept: "text/event-stream", ...(this.id && { "last-event-id": this.id }) },
      });
      if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
      this.failures = 0;
      this.onState("live");
      this.onEvent("open", {});
      for await (const event of eventsOf(answer.body, alive)) {
        if (connection !== this.connection) return;
        if (event.event === "expired") throw new Problem(401, {});
        this.id = event.id ?? this.id;
        this.onEvent(event.event, JSON.parse(event.data), event.id);
      }
      this.later();
    } catch (error) {
      if (connection === this.connection) await this.failed(error, connection);
    } finally {
      clearTimeout(quiet);
    }
  }

  async failed(error, connection) {
    if (error instanceof Problem && REFUSED.has(error.status)) return this.end("refused", error);
    if (error instanceof Problem && error.status === 401) {
      const how = await renewal();
      if (connection !== this.connection) return undefined;
      if (how === "over") return this.end("signed-out", error);
      // The token was over, no more: back at once, but not again and again if clocks differ.
      if (how === "renewed" && performance.now() - this.renewedAt > SILENCE_MS) {
        this.renewedAt = performance.now();
        return this.connect();
      }
    }
    return this.later(error instanceof Problem ? error : null);
  }

  end(state, problem) {
    this.over = true;
    this.onState(state, problem);
  }

  // `problem`: why the server refuses for now, if it says so.
  later(problem = null) {
    this.waiting = true;
    this.onState("reconnecting", problem);
    const pause = PAUSES_MS[Math.min(this.failures, PAUSES_MS.length - 1)];
    this.failures += 1;
    this.timer = setTimeout(() => this.connect(), pause * (0.75 + Math.random() / 2));
  }
}

// Follows the stream at `path` (null: none); `onEvent(name, data, id)`, `open` at each connection. Gives { state, problem }:
// connecting, live, reconnecting, paused (the tab is hidden), signed-out, refused (with the problem).
export function useStream(path, onEvent) {
  const [shown, setShown] = useState({ state: "connecting", problem: null });
  const heard = useRef(onEvent);
  heard.current = onEvent;
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === null) return undefined;
    setShown({ state: "connecting", problem: null });
    const follower = new Follower(path, {
      onEvent: (...event) => heard.current(...event),
      onState: (state, problem = null) => setShown((before) => (before.state === state && before.problem?.message === problem?.message ? before : { state, problem })),
    });
    return () => follower.close();
  }, [path, turn]);
  const again = useCallback(() => setTurn((now) => now + 1), []);
  return { ...shown, again };
}
