// Signing in, coming in by a link, and making an account by an invitation: what is typed goes to the API as JSON.
"use strict";

const said = JSON.parse(document.getElementById("said").textContent);
const form = document.querySelector("form");
const alertLine = document.querySelector("[role=alert]");
const button = form.querySelector("button.main");
const mode = document.body.dataset.mode;
const HOME = "/home";

const ADDRESS = {
  "sign-in": "/api/v1/session", enter: "/api/v1/session:link", invited: "/api/v1/invitations:accept",
};

function next() {
  // only a path of this site, as the browser itself reads it: another address would send the person elsewhere
  try {
    const asked = new URL(new URLSearchParams(location.search).get("next") || HOME, location.origin);
    return asked.origin === location.origin ? asked.pathname + asked.search + asked.hash : HOME;
  } catch {
    return HOME;
  }
}

function bodyOf() {
  if (mode === "enter") return { code: location.hash.slice(1) };
  const body = Object.fromEntries(new FormData(form));
  if (mode === "invited") body.language = document.documentElement.lang;
  return body;
}

async function post(address, body) {
  const answer = await fetch(address, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), credentials: "same-origin",
  });
  const content = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw Object.assign(new Error(content.detail), { code: content.code });
  return content;
}

function tell(error) {
  alertLine.textContent = said[`problem.${error.code || "offline"}`] || said["problem.other"];
  button.disabled = false;
}

function goOn(me) {
  // who works here and came by a link sets what he signs in by; a household is let straight in
  const bare = mode === "enter" && me && !me.homes.length && !me.password && !me.passkeys;
  location.replace(bare ? "/account" : next());
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  button.disabled = true;
  alertLine.textContent = said.wait;
  post(ADDRESS[mode], bodyOf()).then(goOn, tell);
});

async function byPasskey() {
  const options = await post("/api/v1/session:passkey-options", {});
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const credential = await navigator.credentials.get({ publicKey });
  await post("/api/v1/session:passkey", { credential: credential.toJSON() });
}

const passkey = document.getElementById("passkey");
if (passkey && window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON) {
  passkey.hidden = false;
  passkey.addEventListener("click", () => {
    alertLine.textContent = said.wait;
    byPasskey().then(() => goOn(), (error) => tell(error.code ? error : { code: "passkey_not_valid" }));
  });
}

// the other language is the same page: what it leads on to, and a link's code, go along
for (const link of document.querySelectorAll(".languages a")) {
  const query = new URLSearchParams(location.search);
  query.set("lang", link.hreflang);
  link.href = `?${query}${location.hash}`;
}
for (const link of document.querySelectorAll(".ways a:not([href^='/oidc'])")) link.search = `?lang=${document.documentElement.lang}`;

const failed = mode === "sign-in" && new URLSearchParams(location.search).get("failed");
if (failed) tell({ code: failed });

if (mode === "enter" && !location.hash.slice(1)) {
  alertLine.textContent = said["enter.missing"];
  button.disabled = true;
}
