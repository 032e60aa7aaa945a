import { Heliograph } from "/docs/rt/heliograph.js";

const at = (id) => document.getElementById(id);
const list = at("messages");
let app = null;

function line(text, kind = "", small = "") {
  const item = document.createElement("li");
  item.className = kind;
  item.textContent = text;
  if (small) item.append(Object.assign(document.createElement("small"), { textContent: small }));
  list.append(item);
  item.scrollIntoView({ block: "end" });
  return item;
}

async function token() {
  const answer = await fetch(`/admin/v1/tenants/${encodeURIComponent(at("tenant").value)}/rt-tokens`, {
    method: "POST",
    headers: { authorization: `Bearer ${at("admin").value}`, "content-type": "application/json" },
    body: JSON.stringify({ service: at("service").value, app: at("app").value, user: at("user").value }),
  });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error.message);
  return found;
}

function shows(connected) {
  at("light").classList.toggle("on", connected);
  for (const one of at("write").elements) one.disabled = !connected;
  at("leave").disabled = !app;
  at("connect").disabled = Boolean(app);
}

async function connect() {
  let first;
  try {
    first = await token();
  } catch (error) {
    line(error.message, "note");
    return;
  }
  const url = new URL(first.path, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  app = new Heliograph({ url: url.href, token: async () => (await token()).token });
  app.addEventListener("open", ({ detail }) => {
    at("name").textContent = `${detail.user} on ${detail.device}`;
    shows(true);
  });
  app.addEventListener("closed", ({ detail }) => {
    at("name").textContent = detail.again === null ? "not connected" : "connecting again";
    if (detail.again === null) app = null;
    shows(false);
  });
  app.addEventListener("message", ({ detail }) => {
    at("typing").textContent = "";
    const small = [detail.thread, new Date(detail.at).toLocaleTimeString()].filter(Boolean).join(" · ");
    line(detail.text ?? JSON.stringify(detail.attachment), "", small).dataset.seq = detail.seq;
    if (document.visibilityState === "visible") app.read(detail.seq);
  });
  app.addEventListener("own", ({ detail }) => line(detail.text, "mine", "from another device"));
  app.addEventListener("typing", ({ detail }) => {
    at("typing").textContent = detail.on ? "is typing ..." : "";
  });
  app.connect();
  shows(false);
}

at("who").addEventListener("submit", (event) => {
  event.preventDefault();
  connect();
});
at("leave").addEventListener("click", () => app?.close());
at("draft").addEventListener("input", () => app?.typing());
at("write").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = at("draft").value;
  if (!text || !app) return;
  at("draft").value = "";
  const item = line(text, "mine");
  await app.send({ text });
  item.append(Object.assign(document.createElement("small"), { textContent: "sent" }));
});
at("push").addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await fetch("/resources/v1/messaging", {
    method: "POST",
    headers: { key: at("key").value, "content-type": "application/json" },
    body: JSON.stringify({
      deliverychannel: "rt",
      appid: at("app").value,
      channels: { appmessaging: { message: { text: at("text").value } } },
      destination: [{ userid: [at("user").value] }],
    }),
  });
  const { response } = await answer.json();
  const first = Array.isArray(response) ? response[0] : response;
  at("sent").textContent = `${first.code} ${first.description}, ${first.transid}`;
});
