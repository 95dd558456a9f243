import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NotFoundException, RequestMethod, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { SwaggerModule } from '@nestjs/swagger';
import type { CoordinatorMetrics } from '@skipring/metrics';
import { API_PREFIX } from '@skipring/protocol';
import type { Logger } from 'pino';
import { nestLog } from '../observe/log.js';
import { openApiDocument } from '../openapi/document.js';
import type { RouteSource } from './allowed-methods.js';
import { jsonBody } from './json-body.js';
import type { HttpRequest, HttpResponse } from './messages.js';
import { observeRequests } from './observe-requests.js';
import { HttpProblem } from './problem.js';
import { ProblemFilter } from './problem.filter.js';
import { rawAnswer } from './raw-answer.js';
import { authentication, type Tokens } from './tokens.js';
import { ValidationPipe } from './validation.pipe.js';

export interface ServeOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tokens: Tokens;
  readonly metrics: CoordinatorMetrics;
  readonly log: Logger;
}

export interface HttpServer {
  readonly server: Server;
  readonly port: number;
  /** Ends idle connections at once, and those in use at the deadline. */
  close(deadlineMs: number): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 120_000;
const HEADERS_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 2_048;
const IDLE_SWEEP_MS = 20;

/** Builds the Nest application around the module's controllers and listens. */
export async function serve(module: DynamicModule, options: ServeOptions): Promise<HttpServer> {
  const { tokens, metrics, log } = options;
  const app = await NestFactory.create<NestExpressApplication>(module, new ExpressAdapter(), {
    bodyParser: false,
    logger: nestLog(log),
    abortOnError: false,
  });
  app.set('query parser', 'simple');
  app.disable('x-powered-by');
  app.use(observeRequests(metrics, log), authentication(tokens), jsonBody);
  app.setGlobalPrefix(API_PREFIX, {
    exclude: ['health/live', 'health/ready', 'metrics'].map((path) => ({
      path,
      method: RequestMethod.GET,
    })),
  });
  app.useGlobalPipes(new ValidationPipe());
  const problems = new ProblemFilter(log, () => app.getHttpAdapter().getInstance() as RouteSource);
  app.useGlobalFilters(problems);
  const docs = `${API_PREFIX}/docs`.slice(1);
  SwaggerModule.setup(docs, app, () => openApiDocument(), {
    jsonDocumentUrl: `${API_PREFIX}/openapi.json`.slice(1),
    raw: ['json'],
    customSiteTitle: 'Skipring API',
  });
  const server = app.getHttpServer();
  limit(server);
  await app.init();
  answerOutsidePrefix(app, problems);
  await app.listen(options.port, options.host);
  const { port } = server.address() as AddressInfo;
  return { server, port, close: (deadlineMs) => closeServer(server, deadlineMs) };
}

/** Nest's filters see only what is below the API's prefix; Express would answer the rest in HTML. */
function answerOutsidePrefix(app: NestExpressApplication, problems: ProblemFilter): void {
  app.use((request: HttpRequest, response: HttpResponse) => {
    problems.answer(new NotFoundException(), request, response);
  });
  app.use((error: unknown, request: HttpRequest, response: HttpResponse, next: unknown) => {
    // Never called, but Express knows a handler of errors by its four parameters.
    void next;
    problems.answer(error, request, response);
  });
}

function limit(server: Server): void {
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.maxConnections = MAX_CONNECTIONS;
  // An expectation other than 100-continue may be ignored (RFC 9110, 10.1.1).
  server.on('checkExpectation', (request, response) => {
    server.emit('request', request, response);
  });
  server.on('clientError', (_, socket) => {
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const problem = new HttpProblem('REQUEST_MALFORMED', 'this is not an HTTP request');
    socket.end(rawAnswer(problem));
  });
}

async function closeServer(server: Server, deadlineMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  server.closeIdleConnections();
  // Node keeps a connection alive whose answer is complete only now, also while the server closes.
  const sweeper = setInterval(() => {
    server.closeIdleConnections();
  }, IDLE_SWEEP_MS);
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, deadlineMs);
  await closed;
  clearInterval(sweeper);
  clearTimeout(timer);
}
