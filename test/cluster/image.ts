import { join } from 'node:path';
import { ContainerHost, IMAGE as BUILT } from '../support/containers/container-host.js';

/** What the manifests call it; without a registry's name it is that of containerd. */
const NAME = 'docker.io/library/dcgan-trainer:0.1.0';

/** The image for CPUs: an archive that DCGAN_IMAGE names, or one that is built here and removed at the end. */
export async function openImage(): Promise<{
  readonly archive: string;
  readonly close: () => Promise<void>;
}> {
  const given = process.env['DCGAN_IMAGE'];
  if (given !== undefined) return { archive: given, close: () => Promise.resolve() };
  const host = await ContainerHost.open();
  const close = (): Promise<void> => host.close();
  try {
    await host.buildImage();
    await host.podman('tag', BUILT, NAME);
    const archive = join(host.folder, 'image.tar');
    await host.podman('save', '--quiet', '--format', 'docker-archive', '--output', archive, NAME);
    return { archive, close };
  } catch (error) {
    await close();
    throw error;
  }
}
