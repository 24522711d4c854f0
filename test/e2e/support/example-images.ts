/** The images that manifests/examples name, so that they run as they stand: the smallest programs that do what is asked. */
import { busyboxImage } from '../../../hack/dev/cluster/image.ts';
import { workerImage } from '../../../hack/dev/demo/images.ts';

/** Of a shell, as a user without rights. */
function scriptImage(name: string, program: string, script: string, entrypoint?: string[]): string {
  return busyboxImage(name, { user: '65532', files: [{ path: `/usr/local/bin/${program}`, content: `#!/bin/sh\nset -eu\n${script}\n`, mode: 0o755 }], ...(entrypoint && { entrypoint }) });
}

/** Archives of them all. */
export async function exampleImages(): Promise<readonly string[]> {
  return [
    await workerImage('ghcr.io/acme/thumbnailer:3.1', 'thumbnailer.ts'),
    scriptImage('ghcr.io/acme/orders:7', 'process-order', 'test "$1" = --key\norder=$(cat)\ntest -n "$order"\necho "$2 $order"'),
    scriptImage('ghcr.io/acme/onboard:2.1', 'onboard', 'printf "%s\\n" "$ISSUER" "$TARGET" "$MESSAGE" "$CHECKSUM" "$LEVEL"', ['/usr/local/bin/onboard']),
  ];
}
