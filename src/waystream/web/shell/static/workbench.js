// The workbench by keyboard, and what keeps its panes fresh. Every key only presses what the mouse could press; without
// this script the same links and buttons do everything.
"use strict";

const bench = document.querySelector("[data-bench]");
if (bench) {
  const CALM_MS = 2000;
  const SPREAD_MS = 1500;
  let queueWaits = 0;

  const isTyping = () => document.activeElement.matches("input, textarea, select");
  const isOpen = () => document.querySelector("dialog[open]") !== null;

  function isShown(element) {
    return element.closest("details:not([open])") === null || element.matches("summary");
  }

  function press(key) {
    const found = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)];
    const target = found.find(isShown) || found[0];
    if (!target) return false;
    target.click();
    return true;
  }

  function step(by) {
    const lines = [...bench.querySelectorAll(".tick")];
    const here = lines.findIndex((line) => line.hasAttribute("aria-current"));
    const next = lines[here < 0 ? 0 : here + by];
    if (next) next.click();
    else if (here >= 0 && by > 0) bench.querySelector(".pager [rel=next]")?.click();
    else if (by < 0) bench.querySelector(".pager [rel=prev]")?.click();
  }

  function send(closing) {
    const form = document.activeElement.closest("form");
    if (!form) return false;
    const button = form.querySelector(closing ? "[data-send-close]" : "[data-send]");
    if (!button || !form.reportValidity()) return true;
    form.requestSubmit(button);
    return true;
  }

  function focusOn(key) {
    const field = document.querySelector(`[data-focus="${CSS.escape(key)}"]`);
    field?.focus();
    return field !== null;
  }

  function act(event) {
    const key = event.key.toLowerCase();
    if (key === "j") step(1);
    else if (key === "k") step(-1);
    else if (key === "/") document.getElementById("find-ticket").focus();
    else if (key === "?") document.getElementById("keys").showModal();
    else if (!focusOn(key) && !press(key)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        if (send(event.shiftKey)) event.preventDefault();
      } else if (event.key === "Escape" && isTyping() && !isOpen()) {
        document.activeElement.blur();
      } else if (!isTyping() && !isOpen() && !event.ctrlKey && !event.metaKey && !event.altKey) {
        act(event);
      }
    },
    true,
  );

  // The queue is asked for again a moment after a change, spread over the open workbenches; the ticket at once.
  bench.addEventListener("live", (event) => {
    const keys = event.detail?.keys || [];
    if (keys.includes("tickets") || keys.length === 0) freshenQueue();
    if (keys.some((key) => key !== "tickets")) freshen("head");
  });

  function freshenQueue() {
    if (queueWaits) return;
    queueWaits = setTimeout(() => {
      queueWaits = 0;
      const queue = document.getElementById("queue");
      if (queue.contains(document.activeElement) && isTyping()) freshenQueue();
      else if (!queue.querySelector("details.menu[open]")) freshen("queue");
    }, CALM_MS + Math.random() * SPREAD_MS);
  }

  function freshen(id) {
    const pane = document.getElementById(id);
    if (pane && !pane.querySelector("details.menu[open]")) htmx.trigger(pane, "fresh");
  }

  // Times run on while nothing happens.
  setInterval(() => document.hidden || freshenQueue(), 60_000);

  // A swap keeps the place one had scrolled to; a new page shows the ticket that is open.
  const current = bench.querySelector(".tick[aria-current]");
  current?.scrollIntoView({ block: "nearest" });

  // What was just closed can be opened again for ten seconds.
  const undo = document.querySelector("[data-undo]");
  if (undo) setTimeout(() => undo.remove(), 10_000);
}
