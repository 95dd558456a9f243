import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** A span as OTLP writes it in JSON; times are nanoseconds since 1970. */
export interface ReceivedSpan {
  readonly service: string;
  readonly instance: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { key: string; value: Record<string, unknown> }[];
}

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { attributes: { key: string; value: { stringValue: string } }[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly Omit<ReceivedSpan, 'service' | 'instance'>[];
    }[];
  }[];
}

/** A collector of a test's own. */
export interface OtlpReceiver {
  readonly url: string;
  /** All that have come so far. */
  readonly spans: ReceivedSpan[];
  readonly stop: () => Promise<void>;
}

/** @param answers false: it takes requests and says nothing */
export async function startOtlpReceiver(answers = true): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const server = createServer((request, response) => {
    if (!answers) return;
    void json(request).then((body) => {
      spans.push(...spansOf(body as ExportRequest));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    spans,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function spansOf({ resourceSpans }: ExportRequest): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const attribute = (name: string): string =>
      resource.attributes.find(({ key }) => key === name)?.value.stringValue ?? '';
    const origin = {
      service: attribute('service.name'),
      instance: attribute('service.instance.id'),
    };
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...origin, ...span })));
  });
}
