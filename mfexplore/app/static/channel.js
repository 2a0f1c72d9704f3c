// The page's end of the channel to its session. A value that changes often (a slider, the marker) is sent when the last
// one has been acknowledged; only the newest waits, so nothing outdated ever queues.

let model = null;
let seq = 0;
let awaited = 0;
let flying = ""; // the key of what is awaited
const waiting = new Map();
const early = [];
const hearers = {};

export function hear(type, tell) { (hearers[type] ||= []).push(tell); }

export function say(type, content = {}) {
  seq += 1;
  const message = {type, seq, ...content};
  if (!model) early.push(message); else model.up = JSON.stringify(message);
  return seq;
}

export function sayLatest(type, content, key = type) {
  waiting.set(key, [type, content]);
  flush();
}

function flush() {
  if (awaited || !waiting.size) return;
  const [key, [type, content]] = waiting.entries().next().value;
  waiting.delete(key);
  flying = key;
  awaited = say(type, content);
  const mine = awaited;
  setTimeout(() => { if (awaited === mine) { awaited = 0; flying = ""; flush(); } }, 400);
}

hear("ack", ({seq: done}) => { if (done >= awaited) { awaited = 0; flying = ""; flush(); } });

// Whether values of controls are on their way: what the server says of them is then older than what the hand did.
export function busy() {
  return [flying, ...waiting.keys()].some(key => key === "marker" || key.startsWith("control-"));
}

export async function connect() {
  for (;;) {
    const roots = window.Bokeh?.documents?.flatMap(doc => doc.roots()) ?? [];
    const found = roots.flatMap(root => root.tags).find(tag => tag?.name === "channel");
    if (found) { model = found; break; }
    await new Promise(done => setTimeout(done, 20));
  }
  model.properties.down.change.connect(() => {
    const message = JSON.parse(model.down);
    for (const tell of hearers[message.type] ?? []) tell(message);
  });
  say("hello");
  for (const message of early.splice(0)) model.up = JSON.stringify(message);
  return Bokeh.documents[0];
}
