/**
 * An upstream that costs next to nothing, so that what is measured is what stands before it: `GET /bench/bytes-N`
 * answers N fixed bytes as an object, PUT reads the body and forgets it. It checks no signature. Its port is the argument.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

const BLOCK = Buffer.alloc(256 * 1024, 'bucketwarden ');

createServer((request, response) => {
  if (request.method === 'PUT') acceptObject(request, response);
  else sendObject(request, response);
}).listen(Number(process.argv[2]), '127.0.0.1');

function acceptObject(request: IncomingMessage, response: ServerResponse): void {
  request.on('end', () => {
    response.writeHead(200, { etag: '"00000000000000000000000000000000"', 'content-length': '0' }).end();
  });
  request.resume();
}

function sendObject(request: IncomingMessage, response: ServerResponse): void {
  const size = Number(/\/bytes-(?<size>\d+)/.exec(request.url ?? '')?.groups?.['size'] ?? 0);
  response.writeHead(200, {
    'content-length': size,
    'content-type': 'application/octet-stream',
    etag: '"00000000000000000000000000000000"',
    'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT',
    'accept-ranges': 'bytes',
  });
  if (request.method === 'HEAD') response.end();
  else if (size <= BLOCK.length) response.end(BLOCK.subarray(0, size));
  else sendBlocks(response, size);
}

function sendBlocks(response: ServerResponse, left: number): void {
  while (left > BLOCK.length) {
    left -= BLOCK.length;
    if (!response.write(BLOCK)) {
      response.once('drain', () => sendBlocks(response, left));
      return;
    }
  }
  response.end(BLOCK.subarray(0, left));
}
