/** Why a port cannot be listened on, for whoever configured it. */
export function explainListening(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EADDRINUSE': return 'another process listens there; stop it or configure another port';
    case 'EACCES': return 'this user may not use the port; configure one above 1023';
    case 'EADDRNOTAVAIL': return 'this machine does not have that address';
    case 'ENOTFOUND': return 'the address is not known';
    default: return error instanceof Error ? error.message : String(error);
  }
}
