/** Keys of CURVE (RFC 26), ZeroMQ's encryption, each as 40 characters of Z85. */
export interface KeyPair {
  readonly publicKey: string;
  readonly secretKey: string;
}

/** What a listener proves itself by, and the public keys of all who may connect to it. */
export interface ListenerSecurity {
  readonly secretKey: string;
  readonly admitted: ReadonlySet<string>;
}

/** What a link proves itself by, and the public key that the other end must have. */
export interface LinkSecurity extends KeyPair {
  readonly serverKey: string;
}
