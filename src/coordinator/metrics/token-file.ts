import { readFile } from 'node:fs/promises';
import { messageOf, UserError } from '../../common/errors.js';
import { Secret } from '../../common/secret.js';

interface TokenGiven {
  readonly httpToken?: Secret;
  readonly httpTokenFile?: string;
}

/** A file with one token, such as a mounted secret. Rejects with a UserError where it cannot be read or is empty. */
async function readTokenFile(path: string): Promise<Secret> {
  let text: string;
  try {
    text = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw new UserError(`cannot read --http-token-file ${path}: ${messageOf(error)}`, { cause: error });
  }
  if (text === '')
    throw new UserError(
      `--http-token-file ${path} is empty: put what \`openssl rand -hex 32\` prints into it`,
    );
  return new Secret(text);
}

/** What was given, with the token that stands in the file where one was named. */
export async function withTokenOfFile<Given extends TokenGiven>(given: Given): Promise<Given> {
  const { httpTokenFile } = given;
  return httpTokenFile === undefined ? given : { ...given, httpToken: await readTokenFile(httpTokenFile) };
}
