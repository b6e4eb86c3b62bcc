/**
 * Ids that the upstream gave to a version or an upload.
 *
 * INVARIANT: none is sent that leads elsewhere when it is read as a path: stores that keep uploads and versions as files
 * put it behind the folder of the object, and `../…` would be that of somebody else's. See docs/decisions/0009.
 */
import { S3Error } from './error.ts';
import { keyAsPath } from './object-key.ts';

/**
 * @param argument what of the request it stands in.
 * @throws S3Error `InvalidArgument`, also for an empty id: it is decided as a version, and an upstream may take it for
 * none.
 */
export function assertVersionId(
  id: string,
  argument: { readonly name: string; readonly value: string } = { name: 'versionId', value: id },
): void {
  if (id !== '' && !leadsElsewhere(id)) return;
  throw new S3Error('InvalidArgument', {
    message: id === '' ? 'Version id cannot be the empty string' : 'Invalid version id specified',
    details: { ArgumentName: argument.name, ArgumentValue: argument.value },
  });
}

/** @throws S3Error `NoSuchUpload`, also for an empty id: an upstream may take the request for one without it. */
export function assertUploadId(id: string): void {
  if (id !== '' && !leadsElsewhere(id)) return;
  throw new S3Error('NoSuchUpload', { details: { UploadId: id } });
}

/**
 * As it is, or as MinIO reads an upload's: `DEPLOYMENT.UPLOAD` in base64, of which the second part names a folder. The
 * bytes of other stores' ids have a segment of two dots about once in ten million.
 */
function leadsElsewhere(id: string): boolean {
  if (keyAsPath(id) !== id) return true;
  const told = Buffer.from(id, 'base64').toString('latin1');
  return climbs(told) || climbs(told.slice(told.indexOf('.') + 1));
}

function climbs(path: string): boolean {
  return path.includes('..') && path.split('/').includes('..');
}
