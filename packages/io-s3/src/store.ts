import type { Settings } from './options.ts';
import type { Requests } from './requests.ts';

/** What every operation works with. */
export interface Store {
  readonly settings: Settings;
  readonly requests: Requests;
  /** Parameters of every request. */
  readonly common: { readonly RequestPayer?: 'requester' };
  /** Those of requests that give or take an object's bytes or head: a key of the customer's. */
  readonly customerKey: CustomerKey;
  /** Those of requests that make an object. */
  readonly newObject: CustomerKey & NewObject;
  /** False once the store has said that it can't. */
  deletesBatches: boolean;
}

interface CustomerKey {
  readonly SSECustomerAlgorithm?: 'AES256';
  readonly SSECustomerKey?: string;
}

interface NewObject {
  readonly ServerSideEncryption?: 'AES256' | 'aws:kms';
  readonly SSEKMSKeyId?: string;
}

export function storeOf(settings: Settings, requests: Requests): Store {
  const { encryption, requesterPays } = settings;
  const customerKey: CustomerKey =
    encryption?.type === 'SSE-C'
      ? { SSECustomerAlgorithm: 'AES256', SSECustomerKey: Buffer.from(encryption.key).toString('base64') }
      : {};
  return {
    settings,
    requests,
    common: requesterPays ? { RequestPayer: 'requester' } : {},
    customerKey,
    newObject: { ...customerKey, ...newObjectOf(settings) },
    deletesBatches: true,
  };
}

function newObjectOf({ encryption }: Settings): NewObject {
  switch (encryption?.type) {
    case 'SSE-S3':
      return { ServerSideEncryption: 'AES256' };
    case 'SSE-KMS':
      return { ServerSideEncryption: 'aws:kms', ...(encryption.keyId && { SSEKMSKeyId: encryption.keyId }) };
    case 'SSE-C':
    case undefined:
      return {};
  }
}
