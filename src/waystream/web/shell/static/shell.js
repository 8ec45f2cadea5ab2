// What every page does without asking the server: theme, "/" to find, copying, dialogs, choosing rows.
// Everything works without it except the theme, copying and "/".
"use strict";

const root = document.documentElement;

function remember(name, value) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax${secure}`;
}

function isDark() {
  const chosen = root.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function toggleTheme() {
  root.dataset.theme = isDark() ? "light" : "dark";
  remember("theme", root.dataset.theme);
}

async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy || location.href);
  const icon = button.querySelector(".i");
  icon?.classList.replace("i-copy", "i-check");
  icon?.classList.replace("i-link", "i-check");
  setTimeout(() => {
    icon?.classList.replace("i-check", button.dataset.copy ? "i-copy" : "i-link");
  }, 1500);
}

function countChosen() {
  const boxes = [...document.querySelectorAll("[data-row]")];
  const chosen = boxes.filter((box) => box.checked);
  for (const box of boxes) box.closest("tr")?.setAttribute("aria-selected", String(box.checked));
  const all = document.querySelector("[data-all]");
  if (all) {
    all.checked = boxes.length > 0 && chosen.length === boxes.length;
    all.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
  }
  for (const bar of document.querySelectorAll("[data-bulk]")) {
    bar.hidden = chosen.length === 0;
    const told = bar.querySelector("[data-count]");
    if (told) told.textContent = told.dataset.count.replace("0", String(chosen.length));
  }
}

function choose(checked) {
  for (const box of document.querySelectorAll("[data-row]")) box.checked = checked;
  countChosen();
}

function openDialog() {
  const dialog = document.querySelector("#dialog dialog");
  if (!dialog || dialog.matches(":modal")) return;
  dialog.open = false;
  dialog.showModal();
  dialog.addEventListener("close", () => dialog.remove());
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-theme-toggle], [data-copy], [data-close], [data-clear]");
  if (!target) {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    return;
  }
  if (target.matches("[data-theme-toggle]")) toggleTheme();
  else if (target.matches("[data-copy]")) copy(target);
  else if (target.matches("[data-clear]")) choose(false);
  else if (target.closest("dialog")) {
    event.preventDefault();
    target.closest("dialog").close();
  } else target.closest("[data-toast]")?.remove();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-all]")) choose(event.target.checked);
  else if (event.target.matches("[data-row]")) countChosen();
  else if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    const find = document.getElementById("find");
    if (find) {
      event.preventDefault();
      find.focus();
    }
  }
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
    if (document.querySelector("details.menu[open]")) {
      for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
    } else if (document.querySelector("[data-row]:checked")) choose(false);
  }
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "dialog") openDialog();
  countChosen();
});

openDialog();
countChosen();
setTimeout(() => document.querySelector("[data-toast]")?.remove(), 8000);
