// The page's end of the channel to its desk. A value that changes often (a slider, the marker) is sent when the last one
// has been acknowledged; only the newest waits, so nothing outdated ever queues.

export function makeChannel(send) {
  let seq = 0;
  let awaited = 0;
  let flying = ""; // the key of what is awaited
  const waiting = new Map();
  const hearers = new Map();

  function hear(type, tell) {
    hearers.set(type, [...(hearers.get(type) ?? []), tell]);
  }

  function say(type, content = {}) {
    seq += 1;
    send({type, seq, ...content});
    return seq;
  }

  function sayLatest(type, content, key = type) {
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

  // Whether values of controls are on their way: what the desk says of them is then older than what the hand did.
  const busy = () => [flying, ...waiting.keys()].some(key => key === "marker" || key.startsWith("control-"));

  // What the desk said, several messages at a time, and the arrays in them one behind the other beside the text.
  function receive({messages, sizes, buffer}) {
    const buffers = new Map();
    let start = 0;
    sizes.forEach((size, k) => { buffers.set(String(k), buffer.slice(start, start += size)); });
    for (const message of messages) {
      const tells = hearers.get(message.type);
      if (!tells) throw new Error(`The page does not know the message "${message.type}".`);
      for (const tell of tells) tell(message, buffers);
    }
  }

  return {hear, say, sayLatest, busy, receive};
}
