/** Keys of CURVE (RFC 26), ZeroMQ's encryption, each as 40 characters of Z85. */
export interface KeyPair {
  readonly publicKey: string;
  readonly secretKey: string;
}

/** Secret key of a listener, and the public keys that it admits. */
export interface ListenerSecurity {
  readonly secretKey: string;
  readonly admitted: ReadonlySet<string>;
}

/** Key pair of a link, and the public key that the other end must have. */
export interface LinkSecurity extends KeyPair {
  readonly serverKey: string;
}
