/** Builds a message of PostgreSQL's protocol. */
function message(type: string, body: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const AGREED = Buffer.from('S');
const FAILURE = message('E', Buffer.from('SFATAL\0VFATAL\0C28000\0Mlog in without encryption\0\0'));
const ASKS_FOR_PASSWORD = message('R', Buffer.from([0, 0, 0, 3]));
const LOGGED_IN = Buffer.concat([
  message('R', Buffer.from([0, 0, 0, 0])),
  message('Z', Buffer.from('I')),
]);

/** Answers to the TLS request as segments. A client must not continue in clear text after any of them. */
export const TLS_REFUSALS: Readonly<Record<string, readonly Uint8Array[]>> = {
  declined: [Buffer.from('N')],
  'declined, and a password is asked for': [Buffer.concat([Buffer.from('N'), ASKS_FOR_PASSWORD])],
  'declined, and a password is asked for later': [Buffer.from('N'), ASKS_FOR_PASSWORD],
  'an error': [FAILURE],
  'an error in pieces': [FAILURE.subarray(0, 1), FAILURE.subarray(1, 9), FAILURE.subarray(9)],
  'an unknown byte': [Buffer.from('X')],
  'a NUL': [Buffer.from([0])],
  'text of another protocol': [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  'a password is asked for': [ASKS_FOR_PASSWORD],
  'the login is over': [LOGGED_IN],
  'agreed, and a password is asked for': [Buffer.concat([AGREED, ASKS_FOR_PASSWORD])],
  'agreed, and a password is asked for later': [AGREED, ASKS_FOR_PASSWORD],
  'agreed, and the login is over': [Buffer.concat([AGREED, LOGGED_IN])],
  'agreed, and declined': [Buffer.from('SN')],
};

const TLS_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const TLS_HANDSHAKE = 0x16;
const TLS_ALERT = 0x15;

/** Returns what a client sent besides the TLS request and TLS records. Empty for a correct client. */
export function clearTextIn(sent: Buffer): Buffer {
  if (!sent.subarray(0, TLS_REQUEST.length).equals(TLS_REQUEST)) return sent;
  let at = TLS_REQUEST.length;
  while (sent[at] === TLS_HANDSHAKE || sent[at] === TLS_ALERT) at += 5 + sent.readUInt16BE(at + 3);
  return sent.subarray(at);
}
