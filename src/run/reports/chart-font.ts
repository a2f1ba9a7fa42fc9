import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * matplotlib's font, from an npm package: a slim container has no font at all, and librsvg then draws a box for
 * each letter. It finds fonts through fontconfig, which takes its settings from the file that a variable names.
 * Returns that variable, or none without the package: then the machine's own fonts serve.
 */
export async function writeFontSettings(folder: string): Promise<NodeJS.ProcessEnv> {
  const fonts = bundledFonts();
  if (fonts === undefined) return {};
  const file = join(folder, 'fonts.conf');
  await writeFile(
    file,
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><dir>${escapeXml(fonts)}</dir><cachedir>${escapeXml(folder)}</cachedir></fontconfig>
`,
  );
  return { FONTCONFIG_FILE: file };
}

function bundledFonts(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'));
  } catch {
    return undefined;
  }
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
