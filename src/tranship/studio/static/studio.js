"use strict";
// Everything that comes from a database or a person is set as text, never as markup.

const MOST_TABLES = 400;
const MOST_HEIGHT = 190;    // of the list of tables, in CSS pixels
const FIRST_LINE = 26;      // of a column in a drawing, in CSS pixels
let state = null, table = null, watching = null;
const drafts = new Map();   // what was typed and not saved yet, by place

const $ = (id) => document.getElementById(id);

function make(tag, options = {}, ...children) {
  const { text, on, ...rest } = options;
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(rest)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  if (text !== undefined) element.textContent = visible(text);
  for (const [event, handler] of Object.entries(on || {})) element.addEventListener(event, handler);
  element.append(...children);
  return element;
}

// No character of a name or a value hides itself, ends a line or changes the reading direction.
function visible(text) {
  return String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u115f\u1160\u3164\uffa0]/gu,
    (one) => "\\u" + one.codePointAt(0).toString(16).padStart(4, "0"));
}

async function call(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", body: JSON.stringify(body),
    headers: { "content-type": "application/json", "x-csrf-token": state.csrf },
  };
  let response, answer;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
    answer = await response.json();
  } catch (error) {
    return { status: 0, answer: { problems: [{ message: "the studio does not answer: it may have ended" }] } };
  }
  return { status: response.status, answer };
}

function words(problem) {
  const hint = problem.hint ? ` (${problem.hint})` : "";
  return [problem.code, problem.message].filter(Boolean).join(" ") + hint;
}

function say(problems) {
  $("message").replaceChildren(...(problems || []).map((one) => make("p", { text: words(one) })));
}

async function load() {
  const { status, answer } = await call("/api/state");
  if (status !== 200) return say(answer.problems);
  take(answer);
}

function take(answer) {
  state = answer;
  render();
  if (state.run && state.run.running) watch();
}

function shownQuestions() {
  const all = $("filter").value === "all", part = $("search").value.toLowerCase();
  return state.questions.filter((one) => (all || one.open || drafts.has(one.place) || tried.has(one.place))
    && one.table.toLowerCase().includes(part));
}

function render() {
  const asked = state.questions.filter((one) => one.asked), open = asked.filter((one) => one.open).length;
  $("sides").textContent = visible(`${state.old} → ${state.new}`);
  $("person").textContent = visible(`${state.person.name}, ${state.person.role}`);
  const settled = asked.length ? `Every question is answered (${asked.length}).` : "No question is asked.";
  $("verdict").textContent = open ? `${open} of ${asked.length} questions open` : settled;
  const names = [...new Set([...shownQuestions(), ...shownSuggestions()].map((one) => one.table).concat(otherTables()))];
  if (!names.includes(table)) table = names[0] ?? null;
  $("tables").replaceChildren(...names.slice(0, MOST_TABLES).map(tableButton));
  showWholeRows();
  renderMain();
  renderBulk();
  const wrong = state.problems.filter((one) => !one.warning);
  $("problems").replaceChildren(...keeping(wrong).slice(0, 100)
    .map((one) => make("li", { text: [one.object, words(one)].filter(Boolean).join(": ") })));
  $("live").hidden = !state.may_run_live;
  renderRun(state.run);
}

// What keeps a run from starting. Open questions are on this page: their number says enough.
function keeping(wrong) {
  if (!wrong.length) return [{ message: "Nothing that is known here; a dry run tells more." }];
  const others = wrong.filter((one) => one.code !== "TS330"), open = wrong.length - others.length;
  const many = open === 1 ? "1 question is open." : `${open} questions are open.`;
  return open ? [{ message: many }, ...others] : others;
}

// Open questions whose suggestion needs nothing more and is no guess: they can be accepted together, after they were read.
function acceptable() {
  return state.questions.filter((one) => one.open && complete(one) && !one.guess);
}

function complete(question) {
  return question.suggestion_text !== "" && !question.suggestion_text.includes("SPECIFY_");
}

function renderBulk() {
  const found = acceptable();
  $("bulk").hidden = found.length < 2;
  $("bulkcount").textContent = `${found.length} open questions have a suggestion that is complete and no guess`;
  $("bulkaccept").textContent = `Accept all ${found.length}`;
  $("bulklist").replaceChildren(...found.slice(0, MOST_TABLES).map((one) =>
    make("li", { text: `${one.table}: ${one.text}` }, make("pre", { text: one.suggestion_text }))));
}

// With all questions come the tables that differ and about which nothing is asked.
function otherTables() {
  const asked = new Set(state.questions.map((one) => one.table)), part = $("search").value.toLowerCase();
  const isAsked = (title) => asked.has(title) || asked.has(title.slice(title.indexOf(".") + 1));
  return $("filter").value !== "all" ? [] : state.drawings.map((one) => one.left_title)
    .filter((title) => !isAsked(title) && title.toLowerCase().includes(part));
}

function tableButton(name) {
  const own = state.questions.filter((one) => one.asked && one.table === name), open = own.filter((one) => one.open).length;
  const more = untaken(name).length, beside = more ? `${more} suggestion${more === 1 ? "" : "s"}` : "";
  const counts = [own.length ? `${open} of ${own.length} open` : "", beside].filter(Boolean).join(", ");
  const button = make("button", {
    type: "button", "aria-pressed": String(name === table), text: counts ? `${name} (${counts})` : name,
    on: { click: () => { table = name; forgetTried(); render(); focusTable(); } },
  });
  return make("li", {}, button);
}

// The list of tables ends behind a whole row of buttons, and says how many more there are: half a button is read as none.
function showWholeRows() {
  const list = $("tables"), items = [...list.children];
  list.style.maxHeight = "none";
  const top = list.getBoundingClientRect().top, ends = items.map((one) => one.getBoundingClientRect().bottom - top);
  const fitting = ends.filter((end) => end <= MOST_HEIGHT), last = fitting.length ? Math.max(...fitting) : ends[0];
  const more = ends.filter((end) => end > last + 1).length;
  if (more) list.style.maxHeight = `${Math.ceil(last) + 5}px`;
  $("moretables").textContent = more ? `Scroll the list for ${more} more ${more === 1 ? "table" : "tables"}.` : "";
}

function focusTable() {
  const at = [...$("tables").children].find((one) => one.firstChild.getAttribute("aria-pressed") === "true");
  if (at) at.firstChild.focus();
}

// Where nothing is open, no table is listed, and with it no place to add a decision.
const NOTHING_SHOWN = {
  open: "No question is open. Show “all questions and tables” above to see what was decided, or to add a decision about a table.",
  all: "No question is shown.",
};

function renderMain() {
  const own = shownQuestions().filter((one) => one.table === table);
  if (table === null) return $("main").replaceChildren(make("p", { text: NOTHING_SHOWN[$("filter").value] || NOTHING_SHOWN.all }));
  const shown = make("div");
  const preview = make("button", {
    type: "button", text: "Ten rows under the present decisions", on: { click: () => previewTable(shown) },
  });
  const parts = [make("h2", { text: table })];
  parts.push(...state.drawings.filter((one) => sameTable(one.left_title)).map(drawing));
  if (!own.some((one) => one.place.startsWith("$.for_all"))) parts.push(preview, shown);
  $("main").replaceChildren(...parts, ...shownSuggestions().filter((one) => one.table === table).map(suggestionCard), ...own.map(card));
  if (table !== "for_all") $("main").append(addition());
  drawLines();
}

// What a person says of a table beside its questions: filters, flows, merges.
function addition() {
  const pseudo = { place: `+${table}`, key: table, choices: state.additions, suggestion_text: "", because: "", text: "", like: "" };
  const box = make("details", { class: "card" }, make("summary", { text: "Add a decision about this table: a filter, one more flow …" }));
  if (drafts.has(pseudo.place)) box.open = true;
  box.append(answerForm(pseudo));
  return box;
}

function sameTable(title) {
  return title === table || title.endsWith("." + table);
}

function drawing(sides) {
  const box = make("section", { class: "card sides", "aria-label": visible(`OLD ${sides.left_title} and NEW ${sides.right_title}`) });
  const svg = vector("svg", { role: "img", "aria-label": "lines from old to new columns" });
  svg.append(...sides.links.map((link) => vector("path", { class: link.tone, "data-left": link.left, "data-right": link.right })));
  const head = (side, title) => make("h3", {}, make("span", { class: "dim", text: side }), make("br"), make("span", { text: title }));
  box.append(head("OLD", sides.left_title), make("span"), head("NEW", sides.right_title),
    cells(sides.left), svg, cells(sides.right));
  return box;
}

// A type may take several lines on a narrow screen: a line ends where its column stands.
function drawLines() {
  for (const box of $("main").querySelectorAll(".sides")) {
    const [left, right] = box.querySelectorAll("ol"), svg = box.querySelector("svg");
    const width = svg.getBoundingClientRect().width, top = svg.getBoundingClientRect().top;
    const middle = (list, at) => {
      const item = list.children[at].getBoundingClientRect();
      return Math.round(item.top - top + Math.min(item.height, FIRST_LINE) / 2);
    };
    for (const path of svg.children) {
      const a = middle(left, path.dataset.left), b = middle(right, path.dataset.right), half = width / 2;
      path.setAttribute("d", `M2 ${a} C${half} ${a} ${half} ${b} ${width - 2} ${b}`);
    }
  }
}

function vector(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function cells(columns) {
  return make("ol", {}, ...columns.map((one) => make("li",
    { class: one.tone, title: visible(`${one.name} ${one.words}`), text: one.name }, make("small", { text: one.words }))));
}

function card(question) {
  const box = make("article", { class: `card ${question.open ? "open" : "answered"}`, "data-place": question.place });
  box.append(make("h3", { text: question.text }));
  if (!question.open) {
    const settled = question.answer.startsWith("SPECIFY_");
    const by = question.decided || (question.filled_in ? "filled in by suggestion" : "written in the file");
    const why = question.because ? `, because ${question.because}` : "";
    box.append(make("p", { class: "right", text: settled ? "answered by another decision about this table" : `answered: ${question.answer} (${by})${why}` }));
  }
  if (question.evidence.length) box.append(make("ul", {}, ...question.evidence.map((one) => make("li", { text: one }))));
  box.append(answerForm(question));
  return box;
}

document.addEventListener("DOMContentLoaded", () => {
  $("filter").addEventListener("change", () => { forgetTried(); render(); });
  addEventListener("resize", debounced(() => { showWholeRows(); drawLines(); }, 100));
  $("search").addEventListener("input", debounced(render, 150));
  $("bulkaccept").addEventListener("click", () => accept(acceptable().map((one) => one.place), $("bulkverdict")));
  $("verify").addEventListener("click", () => start("/api/verify", {}));
  $("dry").addEventListener("click", () => start("/api/dry-run", {}));
  $("live").addEventListener("submit", (event) => { event.preventDefault(); start("/api/live-run", { database: $("database").value }); });
  $("status").addEventListener("click", async () => {
    const { status, answer } = await call("/api/status");
    if (status !== 200) return say(answer.problems);
    const lines = answer.runs.map((one) => `${one.id}: ${one.state}, started ${one.started}, ${one.handled} of ${one.rows} rows`);
    $("runstate").textContent = visible(lines.join("; ") || "No run is on record.");
  });
  load();
});
