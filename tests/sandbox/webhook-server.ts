/** Webhook server: a bot's side of a webhook; the test decides its answers. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { Loose } from "./bot-client.ts";

export interface Hit {
  readonly update: Loose;
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly response: ServerResponse;
  readonly port: number | undefined;
}

/** @param answer Called with every hit. It may end the response at once, later or never. */
export async function startWebhookServer(answer: (hit: Hit, number: number) => void) {
  const hits: Hit[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const hit: Hit = {
        update: JSON.parse(Buffer.concat(chunks).toString()),
        headers: request.headers,
        path: request.url ?? "",
        response,
        port: request.socket.remotePort,
      };
      hits.push(hit);
      answer(hit, hits.length);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { hits, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?a=1` };
}

/** Answers with a status and nothing else. */
export function status(code: number, headers: Record<string, string> = {}) {
  return ({ response }: Hit) => void response.writeHead(code, headers).end();
}
