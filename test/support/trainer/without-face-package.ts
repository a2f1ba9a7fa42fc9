import Module from 'node:module';

/** Loaded into a program (see preloading()): as if the package that evaluation needs were not installed. */
interface Resolver {
  _resolveFilename(request: string, ...rest: unknown[]): string;
}
const resolver = Module as unknown as Resolver;
const resolve = resolver._resolveFilename.bind(resolver);
resolver._resolveFilename = (request, ...rest) => {
  if (!request.startsWith('@vladmandic/face-api')) return resolve(request, ...rest);
  throw Object.assign(new Error(`Cannot find module '${request}'`), { code: 'MODULE_NOT_FOUND' });
};
