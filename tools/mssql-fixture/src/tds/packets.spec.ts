import { MalformedMessageError } from './bytes.ts';
import { joinPackets, splitPackets, type Message } from './packets.ts';

const options = { type: 3, packetBytes: 16, ends: true, firstPacketId: 255 };

it.each([0, 1, 7, 8, 9, 16, 100])(
  'receives a complete payload of %d bytes in chunks of any size',
  (size) => {
    const payload = Buffer.from(Array.from({ length: size }, (_, i) => i));
    const packets = splitPackets(payload, options);
    for (const portion of [1, 3, 8, packets.length]) {
      const messages: Message[] = [];
      const receive = joinPackets((message) => messages.push(message));
      for (let at = 0; at < packets.length; at += portion)
        receive(packets.subarray(at, at + portion));
      expect(messages).toEqual([{ type: 3, payload, resetsConnection: false }]);
    }
  },
);

it('does not end a message before its last packet', () => {
  const messages: Message[] = [];
  const receive = joinPackets((message) => messages.push(message));
  receive(splitPackets(Buffer.from('ab'), { ...options, ends: false }));
  expect(messages).toEqual([]);
  receive(splitPackets(Buffer.from('cd'), options));
  expect(messages.map(({ payload }) => payload.toString())).toEqual(['abcd']);
});

it.each([7, 32_768])('refuses a packet with the declared size %d', (size) => {
  const header = Buffer.from([1, 1, size >> 8, size & 0xff, 0, 0, 0, 0]);
  expect(() => joinPackets(() => undefined)(header)).toThrow(MalformedMessageError);
});
