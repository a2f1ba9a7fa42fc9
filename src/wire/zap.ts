import { encodeZ85 } from './z85.js';

const VERSION = '1.0';
const KEY_BYTES = 32;

/** Returns the response to a ZAP request (RFC 27): 200 for an admitted key, 400 for anything else. */
export function answerZap(
  request: readonly Buffer[],
  domain: string,
  admitted: ReadonlySet<string>,
): (string | Buffer)[] {
  const id = request.at(1) ?? '';
  const granted = isGranted(request, domain, admitted);
  const [status, text] = granted ? ['200', 'OK'] : ['400', 'this key is not admitted'];
  const [userId, metadata] = ['', ''];
  return [VERSION, id, status, text, userId, metadata];
}

/** Frames: version, request id, domain, address, identity, mechanism, and of CURVE the client's public key. */
function isGranted(frames: readonly Buffer[], domain: string, admitted: ReadonlySet<string>): boolean {
  if (frames.length !== 7) return false;
  const [version, , itsDomain, , , mechanism, key] = frames;
  return (
    version.equals(Buffer.from(VERSION)) &&
    itsDomain.equals(Buffer.from(domain)) &&
    mechanism.equals(Buffer.from('CURVE')) &&
    key.length === KEY_BYTES &&
    admitted.has(encodeZ85(key))
  );
}
