// One's own account: what it has is asked of the API, what is changed is said beside where it was changed.
"use strict";

const said = JSON.parse(document.getElementById("said").textContent);
const language = document.documentElement.lang;
const part = (name) => document.getElementById(name);
const told = (name) => part(name).querySelector(".told");
const say = (key, slots = {}) => (said[key] || key).replace(/\{(\w+)\}/g, (_, name) => slots[name] ?? "");
const TOMORROW_MS = 86_400_000;
let me = null;

async function ask(method, address, body) {
  const given = body === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(`/api/v1/${address}`, { method, credentials: "same-origin", ...given });
  if (answer.status === 401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  const content = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw Object.assign(new Error(content.detail), { code: content.code });
  return content;
}

/** Do something of a part and say there what came of it; gives null where it failed. */
async function does(name, work, after) {
  const line = told(name);
  line.className = "told";
  line.textContent = say("wait");
  try {
    const out = await work();
    line.textContent = after === undefined ? "" : say(after);
    return out;
  } catch (error) {
    line.classList.add("wrong");
    line.textContent = said[`problem.${error.code || "offline"}`] || say("problem.other");
    return null;
  }
}

function made(tag, text, more = {}) {
  return Object.assign(document.createElement(tag), { textContent: text, ...more });
}

function day(moment) {
  const [year, month, date] = moment.slice(0, 10).split("-").map(Number);
  const format = new Intl.DateTimeFormat(language, { year: "numeric", month: "long", day: "numeric", timeZone: "UTC" });
  return format.format(new Date(Date.UTC(year, month - 1, date)));
}

const utilities = (codes) => (codes.length ? codes.map((code) => said.utilities[code] || code).join(", ") : say("account.all"));

function entry(name, one) {
  if (name === "passkeys") return row(name, one, one.label, [say("account.since", { day: day(one.created) })]);
  const facts = one.party
    ? [say("account.for", { purpose: one.purpose }), utilities(one.commodities)]
    : [one.may.map((way) => said[`account.may.${way}`] || way).join(", ")];
  const until = say("account.until", { day: day(one.until) });
  return row(name, one, one.party || one.name, [...facts, me.homes.length > 1 ? one.place : "", until]);
}

function row(name, one, title, facts) {
  const line = made("li", "");
  line.append(made("strong", title));
  for (const fact of facts) if (fact) line.append(made("span", fact));
  const label = say(`account.${name}.end`);
  const button = made("button", label, { type: "button", ariaLabel: `${label}: ${title}` });
  button.addEventListener("click", async () => {
    if (await does(name, () => ask("DELETE", `me/${name}/${one.id}`), `account.${name}.ended`)) await listed(name);
  });
  line.append(button);
  return line;
}

async function listed(name) {
  const all = await ask("GET", `me/${name}`).catch(() => null);
  const list = part(name).querySelector("[data-list]");
  if (all === null) return void (told(name).textContent = say("problem.offline"));
  const stand = all.passkeys || all.tokens.filter((one) => one.revoked === null && Date.parse(one.until) > Date.now());
  list.replaceChildren(...stand.map((one) => entry(name, one)));
  if (!stand.length) list.append(made("li", say(`account.${name}.none`), { className: "none" }));
}

function showMe() {
  const person = me.kind === "person";
  part("who").textContent = person ? say("account.who", { name: me.name }) : say("account.local");
  for (const section of document.querySelectorAll("section")) section.hidden = !person;
  const set = (field, on) => {
    field.closest("label").hidden = !on;
    field.disabled = !on;
  };
  set(part("password").querySelector("[name=old]"), me.password);
  set(part("leave").querySelector("[name=password]"), me.password);
  part("leave").querySelector(".bare").hidden = me.password;
  // who lives in no home here has nothing to share
  for (const name of ["tokens", "consents"]) if (!me.homes.length) part(name).hidden = true;
}

async function forget() {
  for (const key of Object.keys(localStorage)) if (key.startsWith("quintet.home.")) localStorage.removeItem(key);
  sessionStorage.clear();
  if (!("caches" in window)) return;
  // the page that a browser keeps for bad connections holds figures; its files are nobody's
  for (const name of await caches.keys()) if (name.startsWith("quintet-home-")) await (await caches.open(name)).delete("/home");
}

function asked(form) {
  const data = new FormData(form);
  return { text: (name) => String(data.get(name) ?? ""), all: (name) => data.getAll(name).map(String) };
}

/** The day that is named is wholly in it. */
function after(text) {
  return new Date(Date.parse(`${text}T00:00:00Z`) + TOMORROW_MS).toISOString().slice(0, 10);
}

const SENT = {
  password: async (given) => {
    const body = { password: given.text("password"), old: given.text("old") };
    if ((await does("password", () => ask("POST", "me/password", body), "account.changed")) === null) return false;
    me = await ask("GET", "me");
    showMe();
    return true;
  },
  tokens: async (given) => {
    const body = { name: given.text("name"), may: given.all("may"), until: after(given.text("until")), place: given.text("home") || me.homes[0]?.place };
    return shown("tokens", body);
  },
  consents: async (given) => {
    const body = {
      party: given.text("party"), purpose: given.text("purpose"), until: after(given.text("until")),
      commodities: given.all("utilities"), place: given.text("home") || me.homes[0]?.place,
    };
    return shown("consents", body);
  },
  leave: async (given) => {
    if ((await does("leave", () => ask("DELETE", "me", { password: given.text("password") }))) === null) return false;
    await forget();
    location.assign("/sign-in");
    return true;
  },
};

async function shown(name, body) {
  const one = await does(name, () => ask("POST", `me/${name}`, body), "account.once");
  if (one === null) return false;
  told(name).append(made("code", one.token));
  await listed(name);
  return true;
}

for (const form of document.querySelectorAll("section form")) {
  const name = form.closest("section").id;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    if (await SENT[name](asked(form))) {
      form.reset();
      dates();
    }
    button.disabled = false;
  });
}

for (const link of document.querySelectorAll(".languages a")) {
  link.addEventListener("click", () => {
    const given = { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ language: link.hreflang }) };
    // the language that somebody chooses is his from then on; the page that is being left does not wait for it
    if (me !== null && me.kind === "person") fetch("/api/v1/me/language", { ...given, keepalive: true }).catch(() => undefined);
  });
}

function dates() {
  const now = Date.now();
  for (const field of document.querySelectorAll("input[type=date]")) {
    field.min = new Date(now).toISOString().slice(0, 10);
    field.max = new Date(now + 363 * TOMORROW_MS).toISOString().slice(0, 10);
    field.value = new Date(now + 90 * TOMORROW_MS).toISOString().slice(0, 10);
  }
}

for (const [code, name] of Object.entries(said.utilities)) {
  const label = made("label", "", { className: "choice" });
  label.append(made("input", "", { type: "checkbox", name: "utilities", value: code, checked: true }), made("span", name));
  document.querySelector("[data-choices]").append(label);
}

const titled = (home) => [...new Set([home[`name_${language}`], home.place])].filter(Boolean).join(" · ");

/** Who lives in several homes says of which one it is. */
function which() {
  if (me.homes.length < 2) return;
  for (const name of ["tokens", "consents"]) {
    const label = made("label", ""), choice = made("select", "", { name: "home" });
    for (const one of me.homes) choice.append(made("option", titled(one), { value: one.place }));
    label.append(made("span", say("field.home")), choice);
    part(name).querySelector("form").prepend(label);
  }
}

const making = part("new-passkey");
making.hidden = !(window.PublicKeyCredential && PublicKeyCredential.parseCreationOptionsFromJSON);
making.addEventListener("click", () =>
  does("passkeys", async () => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await ask("POST", "me/passkeys:options", {}));
    const credential = await navigator.credentials.create({ publicKey }).catch(() => {
      throw Object.assign(new Error("cancelled"), { code: "passkey_not_made" });
    });
    me = await ask("POST", "me/passkeys", { credential: credential.toJSON(), label: navigator.platform || "" });
    await listed("passkeys");
  }, "account.done"),
);

part("sign-out").addEventListener("click", () =>
  does("out", async () => {
    await ask("DELETE", "session");
    await forget();
    location.assign("/sign-in");
  }),
);

part("sign-out-others").addEventListener("click", () => does("out", () => ask("DELETE", "me/sessions"), "account.out.alone"));

async function begin() {
  me = await ask("GET", "me");
  showMe();
  dates();
  if (!me.homes.length) part("on").href = "/";
  which();
  const lists = [...(me.kind === "person" ? ["passkeys"] : []), ...(me.homes.length ? ["tokens", "consents"] : [])];
  await Promise.all(lists.map(listed));
  if (location.hash) document.querySelector(location.hash)?.scrollIntoView();
}

begin().catch(() => {
  part("who").textContent = say("problem.offline");
});
