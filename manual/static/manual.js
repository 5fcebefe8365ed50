"use strict";
// The search and the folded list of pages. The pages can be read without this script.
const root = document.body.dataset.root;
const field = document.getElementById("search");
const found = document.getElementById("found");
const MOST = 12, AROUND = 60;

const wide = window.matchMedia("(min-width: 50.01rem)");
const unfold = () => { document.querySelector("nav details").open = wide.matches; };
wide.addEventListener("change", unfold);
unfold();
const here = document.querySelector("nav a[aria-current]");
if (here && wide.matches) here.closest("nav").scrollTop = here.offsetTop - 200;

function load() {
  // The index is read when somebody wants to search, not with every page.
  if (window.searchIndex || document.getElementById("index")) return;
  const script = document.createElement("script");
  script.id = "index";
  script.src = root + "search-index.js";
  script.addEventListener("load", show);
  document.head.append(script);
}

function score(row, words) {
  // Every word has to occur. A word counts most in the heading, less in the text, and in the title of the page only at its top.
  const parts = [row[2], row[3], row[4]].map((part) => part.toLowerCase());
  let sum = 0;
  for (const word of words) {
    const weights = [row[1] ? 1 : 12, 12, 2].map((weight, at) => parts[at].includes(word) ? weight + (begins(parts[at], word) ? weight : 0) : 0);
    const best = weights[0] + weights[1] + weights[2];
    if (best === 0) return 0;
    sum += best;
  }
  const all = parts.join(" ");
  return sum + (words.length > 1 && all.includes(words.join(" ")) ? 20 : 0);
}

function begins(text, word) {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (at === 0 || !/[\p{L}\p{N}_]/u.test(text[at - 1])) return true;
  }
  return false;
}

function marked(element, text, words) {
  // Text goes in as text, the words that were looked for as marks.
  const low = text.toLowerCase();
  let at = 0;
  while (at < text.length) {
    const next = words.map((word) => [low.indexOf(word, at), word.length]).filter(([place]) => place >= 0).sort((a, b) => a[0] - b[0] || b[1] - a[1])[0];
    if (!next) break;
    element.append(text.slice(at, next[0]));
    element.append(Object.assign(document.createElement("mark"), {textContent: text.slice(next[0], next[0] + next[1])}));
    at = next[0] + next[1];
  }
  element.append(text.slice(at));
}

function around(text, words) {
  const places = words.map((word) => text.toLowerCase().indexOf(word)).filter((place) => place >= 0);
  const start = Math.max(0, Math.min(...(places.length ? places : [0])) - AROUND);
  return (start ? "…" : "") + text.slice(start, start + 3 * AROUND) + (start + 3 * AROUND < text.length ? "…" : "");
}

function show() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  found.replaceChildren();
  field.removeAttribute("aria-activedescendant");
  found.hidden = words.length === 0;
  if (found.hidden || !window.searchIndex) return;
  const rows = window.searchIndex.map((row) => [score(row, words), row]).filter(([sum]) => sum > 0).sort((a, b) => b[0] - a[0]).slice(0, MOST);
  if (!rows.length) found.append(Object.assign(document.createElement("p"), {textContent: "No page has all of these words."}));
  rows.forEach(([, row], number) => {
    const link = document.createElement("a");
    link.href = root + row[0] + (row[1] ? "#" + row[1] : "");
    link.id = "found" + number;
    link.setAttribute("role", "option");
    marked(link, row[1] ? row[2] + " › " + row[3] : row[3], words);
    const text = document.createElement("small");
    marked(text, around(row[4], words), words);
    link.append(text);
    found.append(link);
  });
  choose(0);
}

function choose(number) {
  const links = [...found.querySelectorAll("a")];
  if (!links.length) return;
  const at = (number + links.length) % links.length;
  links.forEach((link, place) => link.setAttribute("aria-selected", String(place === at)));
  field.setAttribute("aria-activedescendant", links[at].id);
  links[at].scrollIntoView({block: "nearest"});
}

field.hidden = false;
field.addEventListener("focus", load);
field.addEventListener("input", () => { load(); show(); });
field.addEventListener("keydown", (event) => {
  const links = [...found.querySelectorAll("a")];
  const at = links.findIndex((link) => link.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") { choose(at + (event.key === "ArrowDown" ? 1 : -1)); event.preventDefault(); }
  if (event.key === "Escape") { field.value = ""; show(); field.blur(); }
  if (event.key === "Enter") { event.preventDefault(); if (links[at]) { location.href = links[at].href; found.hidden = true; } }
});
field.form.addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) { event.preventDefault(); field.focus(); field.select(); }
});
document.addEventListener("click", (event) => { if (!field.form.contains(event.target)) found.hidden = true; });
