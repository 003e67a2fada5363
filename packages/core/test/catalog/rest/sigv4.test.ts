import { describe, expect, test } from 'vitest';
import { signature } from '../../../src/catalog/rest/auth/sigv4.ts';

/** The account and time of AWS's own test suite for Signature Version 4. */
const SIGNER = {
  identity: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
  service: 'service',
  region: 'us-east-1',
};
const HEADERS = { host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' };

const CASES: readonly (readonly [name: string, method: string, path: string, expected: string])[] = [
  ['get-vanilla', 'GET', '/', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  ['post-vanilla', 'POST', '/', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
  [
    'get-vanilla-query-order-key-case',
    'GET',
    '/?Param2=value2&Param1=value1',
    'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  ],
];

describe('signatures are those of the test suite of AWS', () => {
  test.each(CASES)('%s', (_name, method, path, expected) => {
    const url = new URL(path, 'https://example.amazonaws.com');
    const signed = signature({ method, url, headers: HEADERS, body: '' }, SIGNER);
    expect(signed).toBe(
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${expected}`,
    );
  });
});
