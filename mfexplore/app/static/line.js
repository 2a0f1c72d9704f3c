// The way to the desk: a websocket of the page's own where the server has one, else the messages of Panel's component. Both
// are heard at the other end, so that a line that breaks loses nothing that is said after.

const NOT_HERE = 4404, TRIES = 60; // of several processes chance says which one answers, and none that loads kernels

export function makeLine(model, secret, receive) {
  let socket = null, tries = 0, over = false;
  let queue = secret ? [] : null; // what is said while it is not known which way it goes

  function open() {
    tries += 1;
    const place = new URL(`line/${secret}`, document.baseURI);
    place.protocol = place.protocol.replace("http", "ws");
    const mine = new WebSocket(place);
    mine.binaryType = "arraybuffer";
    mine.onmessage = ({data}) => {
      if (socket !== mine) take(mine); // the first says that it is the right one
      receive(unpacked(data));
    };
    mine.onclose = ({code}) => {
      const was = socket === mine;
      if (was) socket = null;
      if (over) return;
      if (code === NOT_HERE && tries < TRIES) setTimeout(open, 50); // the one that is busy accepts less often
      else if (was) { tries = 0; setTimeout(open, 1000); }
      else release(message => model.send_msg(message));
    };
  }

  function take(mine) {
    socket = mine;
    release(message => mine.send(JSON.stringify(message)));
  }

  function release(send) {
    const said = queue ?? [];
    queue = null;
    said.forEach(send);
  }

  function unpacked(data) {
    const length = new DataView(data).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    return {...head, buffer: data.slice(4 + length)};
  }

  model.on("msg:custom", ({text, sizes, buffer}) => receive({messages: JSON.parse(text), sizes, buffer}));
  if (secret) open();
  return {
    send(message) {
      if (queue) queue.push(message);
      else if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
      else model.send_msg(message);
    },
    close() { over = true; socket?.close(); },
  };
}
