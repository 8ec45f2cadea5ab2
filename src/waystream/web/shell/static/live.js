// One stream of changes for a whole browser. Visible tabs ask for a lock; whoever holds it opens the stream for the keys
// of all tabs and passes on what it hears. Hidden tabs let go. A page asks for its own fragment again when a key fires.
"use strict";

const watched = document.querySelector("[data-live]");
if (watched) {
  const CALM_MS = 1000;
  const mine = watched.dataset.live.split(" ");
  const channel = new BroadcastChannel("waystream-live");
  const others = new Map();
  const me = crypto.getRandomValues(new Uint32Array(1))[0];
  let stream = null;
  let streamKeys = "";
  let position = watched.dataset.since;
  let letGo = null;
  // A page of several panes decides itself which of them to ask for again.
  const inParts = watched.dataset.liveParts !== undefined;
  const told = new Set();
  let waiting = 0;
  let refreshedAt = 0;

  const light = document.querySelector("[data-live-light]");
  function shine(ok) {
    if (!light) return;
    light.classList.toggle("late", !ok);
    light.textContent = ok ? light.dataset.ok : light.dataset.late;
  }

  function isBusy() {
    return (
      document.querySelector("[data-row]:checked, dialog[open], details.menu[open]") !== null ||
      (watched.contains(document.activeElement) && document.activeElement.matches("input, textarea, select"))
    );
  }

  function refresh() {
    clearTimeout(waiting);
    const early = refreshedAt + CALM_MS - Date.now();
    if (early > 0 || (isBusy() && !inParts)) {
      waiting = setTimeout(refresh, Math.max(early, CALM_MS));
      return;
    }
    refreshedAt = Date.now();
    htmx.trigger(watched, "live", { keys: [...told] });
    told.clear();
  }

  function hear(keys) {
    const hit = keys.filter((key) => mine.includes(key));
    if (document.hidden || hit.length === 0) return;
    for (const key of hit) told.add(key);
    refresh();
  }

  function open() {
    const keys = [...new Set([mine, ...others.values()].flat())].sort().slice(0, 40).join(",");
    if (stream && keys === streamKeys) return;
    stream?.close();
    streamKeys = keys;
    stream = new EventSource(`/live?keys=${encodeURIComponent(keys)}&since=${position}`);
    stream.addEventListener("hello", (event) => {
      position = event.lastEventId;
      shine(true);
      channel.postMessage({ light: true });
    });
    stream.addEventListener("changed", (event) => {
      position = event.lastEventId;
      const changed = JSON.parse(event.data);
      channel.postMessage({ changed });
      hear(changed);
    });
    stream.addEventListener("error", () => {
      shine(false);
      channel.postMessage({ light: false });
    });
  }

  function close() {
    stream?.close();
    stream = null;
    letGo?.();
    letGo = null;
  }

  async function lead() {
    if (document.hidden || letGo) return;
    if (!navigator.locks) {
      open();
      return;
    }
    const asked = new AbortController();
    letGo = () => asked.abort();
    try {
      await navigator.locks.request("waystream-live", { signal: asked.signal }, () => {
        if (document.hidden) return undefined;
        channel.postMessage({ who: true });
        open();
        return new Promise((resolve) => {
          letGo = resolve;
        });
      });
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }

  channel.addEventListener("message", ({ data }) => {
    if (data.who && !document.hidden) channel.postMessage({ from: me, keys: mine });
    if (data.gone) others.delete(data.gone);
    if (data.keys) {
      others.set(data.from, data.keys);
      if (stream) open();
    }
    if (data.changed) hear(data.changed);
    if (data.light !== undefined) shine(data.light);
  });

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      close();
      channel.postMessage({ gone: me });
    } else {
      channel.postMessage({ from: me, keys: mine });
      refresh();
      lead();
    }
  });
  addEventListener("pagehide", () => {
    close();
    channel.postMessage({ gone: me });
  });

  // A swap must not close what a person opened.
  let opened = [];
  watched.addEventListener("htmx:beforeSwap", () => {
    opened = [...watched.querySelectorAll("details[id][open]")].map((details) => details.id);
  });
  watched.addEventListener("htmx:afterSwap", () => {
    for (const id of opened) {
      const details = document.getElementById(id);
      if (details) details.open = true;
    }
  });

  channel.postMessage({ from: me, keys: mine });
  lead();
}
