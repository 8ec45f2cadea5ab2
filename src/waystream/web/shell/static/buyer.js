// The buyer's page works without this. With it, it follows by itself and remembers light or dark.
"use strict";

const root = document.documentElement;
const page = document.querySelector("[data-follow]");

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-theme-toggle], [data-copy]");
  if (!target) return;
  if (target.matches("[data-copy]")) {
    event.preventDefault();
    navigator.clipboard.writeText(target.dataset.copy).then(() => {
      target.textContent = target.dataset.copied;
    });
    return;
  }
  const chosen = root.dataset.theme;
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax${secure}`;
});

if (page && "EventSource" in window) {
  let stream = null;
  let again = 0;

  function isBusy() {
    return page.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
  }

  // The page asks for itself again and takes over what is inside it; what was opened stays open.
  async function refresh() {
    if (isBusy()) {
      setTimeout(refresh, 2000);
      return;
    }
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok) {
      if (answer.status === 404) location.reload();
      return;
    }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = fresh.querySelector("[data-follow]");
    if (!next) return;
    const open = [...page.querySelectorAll("details[id][open]")].map((each) => each.id);
    page.replaceChildren(...next.childNodes);
    page.dataset.mark = next.dataset.mark;
    for (const id of open) {
      const details = document.getElementById(id);
      if (details) details.open = true;
    }
  }

  function follow() {
    stream?.close();
    stream = new EventSource(`${page.dataset.follow}?mark=${page.dataset.mark}`);
    stream.addEventListener("changed", refresh);
    // A stream that ended begins anew with what the page knows by now, not all pages in the same second.
    stream.addEventListener("error", () => {
      stream?.close();
      clearTimeout(again);
      again = setTimeout(() => document.hidden || follow(), 2000 + Math.random() * 4000);
    });
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      stream?.close();
      stream = null;
    } else follow();
  });
  addEventListener("pagehide", () => stream?.close());
  if (!document.hidden) follow();
}
