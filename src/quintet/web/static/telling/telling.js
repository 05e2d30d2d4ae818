// Confirms an address, or ends what is told there, by the code of the link: only after a tap, so that a preview does neither.
"use strict";

const said = JSON.parse(document.getElementById("said").textContent);
const [what, code] = location.hash.slice(1).split("=");
const mode = what === "stop" ? "stop" : "confirm";
const alertLine = document.querySelector("[role=alert]");
const button = document.querySelector("button.main");

document.querySelector("h1").textContent = said[`${mode}.title`];
document.querySelector("p.note").textContent = said[`${mode}.lead`];
button.textContent = said[`${mode}.do`];
document.title = `${said[`${mode}.title`]} · ${said.brand}`;

for (const link of document.querySelectorAll(".languages a")) link.href += location.hash; // the code goes along

async function send() {
  const answer = await fetch(`/api/v1/telling:${mode}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ code }), credentials: "same-origin",
  });
  const content = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(content.detail), { code: content.code });
  return content;
}

function done(taken) {
  const text = mode === "stop" ? said["stop.done"] : said[`confirm.done.${taken.what}`] || said["confirm.done.webhook"];
  alertLine.setAttribute("role", "status"); // no alarm: it is done
  alertLine.textContent = text.replace("{name}", taken.name);
  button.hidden = true;
}

function tell(error) {
  alertLine.textContent = said[`problem.${error.code || "offline"}`] || said["problem.other"];
  button.disabled = false;
}

document.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  button.disabled = true;
  alertLine.textContent = said.wait;
  send().then(done, tell);
});

if (!code) {
  alertLine.textContent = said.missing;
  button.disabled = true;
}
