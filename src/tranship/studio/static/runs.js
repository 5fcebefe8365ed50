"use strict";
// Runs that were started here, and what they left. Texts are set as text, as in studio.js.

function renderRun(run) {
  $("log").hidden = !run;
  if (!run) return;
  const end = run.running ? "at work" : `ended with status ${run.exit_status}`;
  $("runstate").textContent = visible(`${run.kind} of ${run.by}, ${run.started}: ${end}. Output: ${run.log}`);
  $("log").textContent = run.lines.map(visible).join("\n");
  $("log").scrollTop = $("log").scrollHeight;
  // A button that is disabled loses the focus, which it gets back when the run has ended.
  const buttons = [$("dry"), $("verify"), $("begin")];
  if (run.running && buttons.includes(document.activeElement)) pressed = document.activeElement;
  buttons.forEach((one) => { one.disabled = run.running; });
  if (!run.running && pressed) { if (document.activeElement === document.body) pressed.focus(); pressed = null; }
  if (run.running) $("result").replaceChildren();
  else if (shownResult !== run.log) { shownResult = run.log; showResult(); }
}

let shownResult = null, pressed = null;

async function showResult() {
  const { status, answer } = await call("/api/result");
  if (status !== 200 || !answer.result) return $("result").replaceChildren();
  const result = answer.result, parts = [make("h3", { text: whole(result.verdict) })];
  parts.push(make("ul", {}, ...result.facts.map(([name, value]) => make("li", { text: whole(`${name}: ${value}`) }))));
  // Causes come before what follows from them, as in the terminal.
  for (const [title, lines] of [["Rejected rows by cause", result.causes], ["Rejected because of these", result.consequences]]) {
    if (lines.length) parts.push(make("h3", { text: title }), make("ul", {}, ...lines.map((one) => make("li", { text: one }))));
  }
  parts.push(grid("tables of the run", result.headings, result.tables));
  // What became of each table is not looked for below twenty rows.
  if (result.rejects.length) parts.push(make("details", {}, make("summary", { text: result.rejects.length === 1 ? "A rejected row" : `The first ${result.rejects.length} of the rejected rows` }),
    grid("rejected rows", ["Table", "Key", "Reason", "SQLSTATE", "Row"], result.rejects.map((one) => [one.table, one.key, one.reason, one.sqlstate, one.row]))),
    make("p", { class: "dim", text: result.rejects_held }));
  $("result").replaceChildren(make("div", { class: "card" }, ...parts));
}

// A line that ends within 21 292 looks like the number 21.
function whole(text) {
  return text.replace(/(\d) (?=\d{3}(?!\d))/g, "$1\u00a0");
}

function grid(label, head, rows) {
  return make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": label }, make("table", {},
    make("thead", {}, make("tr", {}, ...head.map((one) => make("th", { scope: "col", text: one })))),
    make("tbody", {}, ...rows.map((row) => make("tr", {},
      ...row.map((one, at) => make("td", { "data-column": head[at], text: one })))))));
}

function watch() {
  if (watching) return;
  watching = setInterval(async () => {
    const { status, answer } = await call("/api/run");
    if (status !== 200) { clearInterval(watching); watching = null; return say(answer.problems); }
    renderRun(answer.run);
    if (!answer.run.running) { clearInterval(watching); watching = null; }
  }, 1000);
}

async function start(path, body) {
  const { status, answer } = await call(path, body);
  if (status !== 200) return say(answer.problems);
  say([]);
  renderRun(answer.run);
  watch();
}
