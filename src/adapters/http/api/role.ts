/** Who may do what over HTTP. A role includes those before it. */

/** `read`: all that can be looked at, logs included. `submit`: start runs. `admin`: change runs that there are. */
export const roles = ['read', 'submit', 'admin'] as const;
export type Role = (typeof roles)[number];

/** Somebody who has shown who they are. */
export interface Caller {
  /** Of the token, or of the client certificate. */
  readonly name: string;
  readonly role: Role;
}

/** The text as a role; undefined where it is none. */
export function asRole(text: string): Role | undefined {
  return roles.find((role) => role === text);
}

/** Whether somebody of this role may do what needs the other. */
export function includes(held: Role, needed: Role): boolean {
  return roles.indexOf(held) >= roles.indexOf(needed);
}
