/** The version of this build, from package.json: the build step keeps only this field of it. */
import packageJson from '../package.json' with { type: 'json' };

export const version: string = packageJson.version;
