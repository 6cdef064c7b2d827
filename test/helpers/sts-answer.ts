interface StsAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** The keys that STS gives, for an hour unless told otherwise, in the XML of its query protocol. The secret is `secret`, the token `token`. */
export function stsCredentials(
  action: "AssumeRole" | "AssumeRoleWithWebIdentity",
  accessKeyId: string,
  lastsMs = 3_600_000,
): StsAnswer {
  const expiration = new Date(Date.now() + lastsMs).toISOString();
  return {
    status: 200,
    headers: { "content-type": "text/xml" },
    body:
      `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>` +
      `<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/R/S</Arn><AssumedRoleId>AROA:S</AssumedRoleId></AssumedRoleUser>` +
      `<Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>` +
      `<Expiration>${expiration}</Expiration></Credentials></${action}Result></${action}Response>`,
  };
}
