// The checksum of short records (xxh3-64 of 17 to 64 bytes, seed 0), to forge records that are whole but of a later format.

const MASK = (1n << 64n) - 1n;
const PRIME = 0x9e3779b185ebca87n;
const AVALANCHE = 0x165667919e3779f9n;
const SECRET = Buffer.from(
  "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c",
  "hex",
);

/** The checksum of 17 to 64 bytes, as eight bytes. */
export function xxh3(bytes) {
  if (bytes.length < 17 || bytes.length > 64) throw new Error("this checksum is for 17 to 64 bytes");
  const input = Buffer.from(bytes);
  let sum = (BigInt(input.length) * PRIME) & MASK;
  if (input.length > 32) sum += mix(input, 16, 32) + mix(input, input.length - 32, 48);
  sum += mix(input, 0, 0);
  sum += mix(input, input.length - 16, 16);
  sum &= MASK;
  sum ^= sum >> 37n;
  sum = (sum * AVALANCHE) & MASK;
  sum ^= sum >> 32n;
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(sum);
  return [...out];
}

function mix(input, at, secret) {
  const low = input.readBigUInt64LE(at) ^ SECRET.readBigUInt64LE(secret);
  const high = input.readBigUInt64LE(at + 8) ^ SECRET.readBigUInt64LE(secret + 8);
  const product = low * high;
  return (product & MASK) ^ (product >> 64n);
}
