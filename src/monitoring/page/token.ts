import { element } from './dom.js';

/** Kept for this tab alone, and gone with it. */
const KEY = 'dcgan-http-token';

export function authorization(): Record<string, string> {
  const token = sessionStorage.getItem(KEY);
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}

/** Asks for a token until the user enters one. */
export async function askForToken(): Promise<void> {
  const form = element<HTMLFormElement>('token-form');
  const input = element<HTMLInputElement>('token');
  const notice = element('notice');
  if (sessionStorage.getItem(KEY) !== null) {
    notice.textContent = 'That is not the token of this run.';
    notice.hidden = false;
  }
  sessionStorage.removeItem(KEY);
  form.hidden = false;
  input.value = '';
  input.focus();
  await new Promise<void>((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      // A header holds nothing else; what is wrong is refused by the coordinator.
      sessionStorage.setItem(KEY, input.value.replace(/[^\x21-\x7e]/g, ''));
      resolve();
    };
  });
  form.hidden = true;
  notice.hidden = true;
}
