import { setTimeout as sleep } from 'node:timers/promises';
import { startImpostor, type Impostor } from '@cdc-migrations/postgres-fixture';
import type { SourceDatabase } from '../source-database.ts';
import { openMssql } from './open-mssql.ts';

const USER = 'reader';
const PASSWORD = 'Tj3nest3-passord';
/** Timeout of the client. Most of these answers end the connection at once. */
const TIMEOUT_MS = 500;
const ENOUGH_MS = 30_000;

const OPTION = { version: 0, encryption: 1, mars: 4, end: 0xff } as const;
const VERSION = Buffer.from([15, 0, 16, 0x30, 0, 0]);
const REPLY = 4;

type Option = readonly [token: number, value: Buffer | number];

/** Builds the payload of a PRELOGIN answer. A number as a value is an offset beyond the end. */
function payload(...options: readonly Option[]): Buffer {
  const head = Buffer.alloc(options.length * 5 + 1, OPTION.end);
  const values: Buffer[] = [];
  let offset = head.length;
  options.forEach(([token, value], i) => {
    const bytes = typeof value === 'number' ? Buffer.alloc(0) : value;
    head.writeUInt8(token, i * 5);
    head.writeUInt16BE(typeof value === 'number' ? value : offset, i * 5 + 1);
    head.writeUInt16BE(typeof value === 'number' ? 1 : bytes.length, i * 5 + 3);
    offset += bytes.length;
    values.push(bytes);
  });
  return Buffer.concat([head, ...values]);
}

function packet(bytes: Buffer, { type = REPLY, isLast = true } = {}): Buffer {
  const size = bytes.length + 8;
  return Buffer.concat([
    Buffer.from([type, isLast ? 1 : 0, size >> 8, size & 0xff, 0, 0, 1, 0]),
    bytes,
  ]);
}

const encryption = (...value: readonly number[]): Option => [OPTION.encryption, Buffer.from(value)];
const version: Option = [OPTION.version, VERSION];
const mars: Option = [OPTION.mars, Buffer.from([0])];

const DECLINED = packet(payload(version, encryption(2), mars));
const declined = payload(version, encryption(2), mars);

/** An acknowledged login, sent without a request. */
const LOGIN_ACK = packet(Buffer.from([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));

/** Answers of an attacker to the first packet, as a sequence of segments. */
const ANSWERS: Readonly<Record<string, readonly Buffer[]>> = {
  'encryption is not supported': [DECLINED],
  'encryption is off': [packet(payload(version, encryption(0), mars))],
  'no encryption option': [packet(payload(version, mars))],
  'no options': [packet(payload())],
  'an unknown value': [packet(payload(version, encryption(4), mars))],
  'a value with the flag of client certificates': [packet(payload(version, encryption(0x81)))],
  'the largest value': [packet(payload(version, encryption(0xff), mars))],
  'an empty value': [packet(payload(version, encryption(), mars))],
  'a value beyond the end': [packet(payload(version, [OPTION.encryption, 0x7fff], mars))],
  'a duplicate option, accepted first': [packet(payload(version, encryption(1), encryption(2)))],
  'a duplicate option, accepted last': [packet(payload(version, encryption(2), encryption(1)))],
  'TLS accepted but not started': [packet(payload(version, encryption(1), mars)), LOGIN_ACK],
  'TLS required but not started': [packet(payload(version, encryption(3), mars)), LOGIN_ACK],
  'two TDS packets in one segment': [
    Buffer.concat([
      packet(declined.subarray(0, 7), { isLast: false }),
      packet(declined.subarray(7)),
    ]),
  ],
  'two TDS packets in two segments': [
    packet(declined.subarray(0, 7), { isLast: false }),
    packet(declined.subarray(7)),
  ],
  'an empty TDS packet first': [packet(Buffer.alloc(0), { isLast: false }), DECLINED],
  'a packet of another type': [packet(declined, { type: 0x12 })],
  'a login acknowledgement without a request': [DECLINED, LOGIN_ACK],
  'no end of the options': [packet(Buffer.from([OPTION.version, 0, 6, 0, 6]))],
  'a length below that of a header': [Buffer.from([REPLY, 1, 0, 7, 0, 0, 1, 0])],
  'text of another protocol': [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  'a TLS alert': [Buffer.from([0x15, 3, 3, 0, 2, 2, 40])],
  'a message that never ends': [packet(declined, { isLast: false })],
  nothing: [],
  ...Object.fromEntries(
    Array.from({ length: DECLINED.length - 1 }, (_, i) => [
      `two segments, split after byte ${i + 1}`,
      [DECLINED.subarray(0, i + 1), DECLINED.subarray(i + 1)],
    ]),
  ),
};

let attacker: Impostor;
beforeAll(async () => {
  attacker = await startImpostor();
});
afterAll(() => attacker?.close());

function sourceAt(changes: Partial<SourceDatabase['server']> = {}): SourceDatabase {
  return {
    type: 'mssql',
    server: {
      ...{ name: 'default', host: '127.0.0.1', port: attacker.port },
      ...{ user: USER, password: PASSWORD, ...changes },
    },
    database: 'AdOpusTest',
  };
}

/** Lists the types of the TDS packets that were sent in clear text. */
function packetTypes(bytes: Buffer): readonly number[] {
  const types: number[] = [];
  for (let at = 0; at < bytes.length; at += Math.max(bytes.readUInt16BE(at + 2), 8))
    types.push(bytes[at]!);
  return types;
}

const PRELOGIN = 0x12;
const LOGIN7 = 0x10;

it('sends the login in clear text if encryption is disabled', async () => {
  attacker.answer([DECLINED]);
  await expect(openMssql(sourceAt({ encrypt: false }), TIMEOUT_MS)).rejects.toThrow();
  expect(packetTypes(attacker.received())).toEqual([PRELOGIN, LOGIN7]);
  expect(attacker.received().includes(Buffer.from(USER, 'utf16le'))).toBe(true);
});

describe.each<[string, Partial<SourceDatabase['server']>, boolean]>([
  ['with a verified certificate', {}, true],
  ['with any certificate accepted', { encrypt: true, trustServerCertificate: true }, true],
  ['to a server that answers before a request', {}, false],
])('sends no login in clear text, %s, if the answer is', (_, changes, waits) => {
  it.each(Object.entries(ANSWERS))('%s', async (_name, segments) => {
    attacker.answer(segments, waits);
    const opened = await openMssql(sourceAt(changes), TIMEOUT_MS).catch((error: unknown) => error);
    await sleep(20);
    const sent = attacker.received();
    expect(sent.length).toBeGreaterThan(0);
    expect(new Set(packetTypes(sent))).toEqual(new Set([PRELOGIN]));
    expect(sent.includes(Buffer.from(USER, 'utf16le'))).toBe(false);
    expect(opened).toMatchObject({ name: expect.stringMatching(/Error$/), database: 'AdOpusTest' });
  });
});

it.each([
  'encryption is not supported',
  'no encryption option',
  'two segments, split after byte 20',
])('suggests a solution in the error: %s', async (name) => {
  attacker.answer(ANSWERS[name]!);
  await expect(openMssql(sourceAt(), ENOUGH_MS)).rejects.toThrow(
    /the server does not support TLS, and nothing was sent; .* encrypt: false .* source-groups\.yaml/,
  );
});
